"""Checking out: one version of a cart makes one order, whoever dies and however often it is repeated."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from services.cart import clients, domain, store, usecases
from services.chassis import errors, redis_store
from services.chassis.rpc import client, identity, server
from souk.cart.v1 import cart_service_pb2, cart_service_pb2_grpc
from souk.order.v1 import order_pb2, order_service_pb2_grpc
from souk.type.v1 import address_pb2
from tests.integration.cart.shelf import Shop, Till, carts_in, units
from tests.support import calls

ANN = domain.of_user("ann")
HOME = address_pb2.Address(recipient="Ann", line1="1 Road", city="Town", postal_code="N1", country="GB")
TERMS = domain.Terms(domain.Address("Ann", "1 Road", "", "Town", "", "N1", "GB"), "card_approved", None, "a")
OTHER = replace(TERMS, payment_method="card_other", fingerprint="b")


async def filled(carts: usecases.Carts) -> int:
    """The version of a cart with something in it."""
    await carts.add(ANN, "cup", 1)
    return (await carts.add(ANN, "tea", 2)).version


async def test_a_checkout_repeated_at_the_same_time_and_later_makes_one_order(
    carts: usecases.Carts, till: Till
) -> None:
    seen = await filled(carts)
    orders = await asyncio.gather(*(carts.check_out("ann", seen, TERMS) for _ in range(10)))
    await carts.add(ANN, "pot", 1)
    assert {*orders, await carts.check_out("ann", seen, TERMS)} == {orders[0]}
    assert till.orders() == [{"cup": 1, "tea": 2}]


async def test_an_answer_that_was_lost_is_asked_for_by_the_same_request(carts: usecases.Carts, till: Till) -> None:
    till.loses = 2
    await carts.check_out("ann", await filled(carts), TERMS)
    assert len(till.made) == 1


@pytest.mark.parametrize("known", ["recorded", "lost"])
async def test_a_process_that_died_after_the_order_was_made_gives_the_same_order_to_who_repeats(
    carts: usecases.Carts, till: Till, redis: redis_store.RedisStore, known: str
) -> None:
    seen = await filled(carts)
    before = await carts.get(ANN)
    till.loses = 1 + len(usecases.PAUSES_S)
    with pytest.raises(errors.TransientError):
        await carts.check_out("ann", seen, TERMS)
    recorded = await carts.get(ANN)
    assert domain.checkout_of(recorded, seen) is not None
    if known == "recorded":
        await carts.add(ANN, "pot", 1)
    else:  # by a Redis that forgot its last second
        assert await store.replace(redis, ANN, replace(before, revision=recorded.revision), lifetime_s=60)
    order = await carts_in(redis, Shop(), till).check_out("ann", seen, TERMS)
    assert (order.id, till.orders()) == ("order-0", [{"cup": 1, "tea": 2}])


async def test_a_version_that_was_ordered_is_not_ordered_with_other_details(carts: usecases.Carts, till: Till) -> None:
    seen = await filled(carts)
    order = await carts.check_out("ann", seen, TERMS)
    with pytest.raises(errors.DomainError, match="CART_CHECKED_OUT") as refused:
        await carts.check_out("ann", seen, OTHER)
    assert refused.value.metadata == {"order_id": order.id}
    assert len(till.made) == 1


async def test_what_was_refused_can_be_ordered_with_other_details(carts: usecases.Carts, till: Till) -> None:
    seen = await filled(carts)
    till.refuses = errors.DomainError(errors.Code.ABORTED, "ORDER_TOTAL_CHANGED", "it costs more")
    with pytest.raises(errors.DomainError, match="ORDER_TOTAL_CHANGED"):
        await carts.check_out("ann", seen, TERMS)
    till.refuses = None
    assert (await carts.check_out("ann", seen, OTHER)).id == "order-0"


async def test_a_cancelled_order_leaves_a_cart_that_can_be_ordered_again(carts: usecases.Carts, till: Till) -> None:
    seen = await filled(carts)
    order = await carts.check_out("ann", seen, TERMS)
    await carts.reopen([domain.Cancelled("another", "ann")])
    assert (await carts.get(ANN)).version == seen
    for _ in range(2):
        await carts.reopen([domain.Cancelled(order.id, "ann")])
    cart = await carts.get(ANN)
    assert (cart.version, units(cart)) == (seen + 1, {"cup": 1, "tea": 2})
    assert (await carts.check_out("ann", seen, TERMS)).id == order.id
    assert (await carts.check_out("ann", seen + 1, TERMS)).id != order.id
    assert len(till.made) == 2


async def test_an_empty_cart_and_another_version_are_not_ordered(carts: usecases.Carts, till: Till) -> None:
    seen = await filled(carts)
    with pytest.raises(errors.DomainError, match="CART_CHANGED"):
        await carts.check_out("ann", seen - 1, TERMS)
    for sku in ("cup", "tea"):
        seen = (await carts.set_quantity(ANN, sku, 0)).version
    with pytest.raises(errors.DomainError, match="CART_EMPTY"):
        await carts.check_out("ann", seen, TERMS)
    assert not till.made


_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer


class Orders(_ORDERS):  # type: ignore[misc]  # a servicer that leaves most methods out, which its type forbids
    """The order service's contract, which remembers who asked for what."""

    def __init__(self) -> None:
        self.caller = identity.NOBODY
        self.asked: Any = None

    async def CreateOrder(self, request: Any, _: Any) -> Any:
        self.caller, self.asked = identity.caller(), request
        if request.payment_method == "card_refused":
            wrong = errors.Violation("items[1].sku", "tea is not for sale", "SKU_UNKNOWN")
            raise errors.invalid("SKU_UNKNOWN", "not for sale", wrong)
        return order_pb2.Order(id="made", total={"currency_code": "USD", "units": 13})


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest_asyncio.fixture
async def through(shop: calls.Shop, orders: Orders, carts: usecases.Carts) -> AsyncIterator[calls.Shop]:
    """Cart as it is served, asking an order service over gRPC that accepts the same tokens."""
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(clients.ORDER, add, orders), "order", key=shop.key) as served:
        peer = client.Peer(served.address, clients.ORDER, identity.Mesh(calls.MESH_KEY, "cart"), traced=False)
        carts._orders = clients.Orders(peer)
        yield shop
        await peer.stop()


async def test_the_order_is_made_for_who_calls_by_their_own_token(
    through: calls.Shop, orders: Orders, carts: usecases.Carts
) -> None:
    seen = await filled(carts)
    stub: Any = cart_service_pb2_grpc.CartServiceStub(through.channel)
    request = cart_service_pb2.CheckoutCartRequest(
        expected_version=seen, shipping_address=HOME, payment_method="card_refused"
    )
    refused = await calls.refused(stub.CheckoutCart(request, metadata=through.as_user("ann")))
    assert (refused.reason, [wrong.field for wrong in refused.violations]) == ("SKU_UNKNOWN", ["lines[1].sku"])
    request.payment_method = "card_approved"
    made = await stub.CheckoutCart(request, metadata=through.as_user("ann"))
    assert (made.order_id, made.total.units, orders.caller.user_id) == ("made", 13, "ann")
    assert orders.asked.shipping_address == HOME
    assert {item.sku: item.quantity for item in orders.asked.items} == {"cup": 1, "tea": 2}
    shown = await stub.GetCart(cart_service_pb2.GetCartRequest(), metadata=through.as_user("ann"))
    assert (shown.order_id, shown.version) == ("made", seen)
