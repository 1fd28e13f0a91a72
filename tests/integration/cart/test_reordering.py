"""Re-ordering: an order's lines in a cart in Redis again, once, or nothing at all when it cannot be known what is sold."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from services.cart import clients, domain, usecases
from services.chassis import errors
from services.chassis.rpc import client, identity, server
from souk.cart.v1 import cart_service_pb2, cart_service_pb2_grpc
from souk.order.v1 import order_pb2, order_service_pb2_grpc
from tests.integration.cart.shelf import Shop, Till, units
from tests.support import calls

ANN = domain.of_user("ann")
ORDER = "0190a000-0000-7000-8000-000000000001"
NONE = "0190a000-0000-7000-8000-000000000002"
LEFT_OUT = cart_service_pb2.ReorderResponse.LeftOut


@pytest.fixture(autouse=True)
def ordered(till: Till) -> None:
    """Ann has ordered something that is no longer sold, tea, and a cup."""
    lines = [("gone", "A lamp", 1), ("tea", "Tea of before", 2), ("cup", "A cup", 1)]
    till.past_orders[ORDER] = domain.PastOrder(ORDER, "ann", tuple(domain.PastLine(*line) for line in lines))


async def test_an_order_comes_again_once_however_often_and_at_the_same_time_as_other_changes(
    carts: usecases.Carts,
) -> None:
    await carts.add(ANN, "cup", 3)
    await asyncio.gather(
        *(carts.reorder("ann", ORDER) for _ in range(10)),
        *(carts.add(ANN, "pot", 1) for _ in range(5)),
    )
    cart = await carts.get(ANN)
    assert (units(cart), cart.version) == ({"cup": 3, "tea": 2, "pot": 5}, 7)
    again, left_out = await carts.reorder("ann", ORDER)
    assert (again, [left.line.sku for left in left_out]) == (cart, ["gone"])


@pytest.mark.parametrize("who", ["catalog", "order"])
async def test_without_the_catalog_or_the_order_nothing_is_changed(
    carts: usecases.Carts, market: Shop, till: Till, who: str
) -> None:
    await carts.add(ANN, "cup", 3)
    before = await carts.get(ANN)
    market.away, till.away = {who} - {"order"}, who == "order"
    with pytest.raises(errors.TransientError):
        await carts.reorder("ann", ORDER)
    assert await carts.get(ANN) == before


async def test_an_order_that_is_not_there_or_anothers_changes_no_cart(carts: usecases.Carts) -> None:
    for user_id, order_id in (("ann", NONE), ("bob", ORDER)):
        with pytest.raises(errors.DomainError, match="ORDER_NOT_FOUND"):
            await carts.reorder(user_id, order_id)
        assert (await carts.get(domain.of_user(user_id))).version == 0


_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer


class Orders(_ORDERS):  # type: ignore[misc]  # a servicer that leaves most methods out, which its type forbids
    """The order service's contract: one order of Ann's, which an administrator sees too."""

    def __init__(self) -> None:
        self.caller = identity.NOBODY
        self.fails: errors.DomainError | None = None

    async def GetOrder(self, request: Any, _: Any) -> Any:
        self.caller = identity.caller()
        if self.fails:
            raise self.fails
        if request.id != ORDER:
            raise errors.not_found("ORDER_NOT_FOUND", "the order does not exist", order_id=request.id)
        lines: Any = [{"sku": "gone", "title": "A lamp", "quantity": 1}, {"sku": "tea", "title": "Tea", "quantity": 2}]
        return order_pb2.Order(id=ORDER, user_id="ann", lines=lines)


class Again:
    """Calls of cart as it is served, asking an order service over gRPC that accepts the same tokens."""

    def __init__(self, shop: calls.Shop, orders: Orders) -> None:
        self._shop = shop
        self.orders = orders
        self.stub: Any = cart_service_pb2_grpc.CartServiceStub(shop.channel)

    def order(self, order_id: str = ORDER, *, who: str = "ann", expected: int = 0) -> Any:
        request = cart_service_pb2.ReorderRequest(id=order_id, expected_version=expected)
        return self.stub.Reorder(request, metadata=self._shop.as_user(who))


@pytest_asyncio.fixture
async def again(shop: calls.Shop, carts: usecases.Carts) -> AsyncIterator[Again]:
    orders, add = Orders(), order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(clients.ORDER, add, orders), "order", key=shop.key) as served:
        peer = client.Peer(served.address, clients.ORDER, identity.Mesh(calls.MESH_KEY, "cart"), traced=False)
        carts._orders = clients.Orders(peer)
        yield Again(shop, orders)
        await peer.stop()


async def test_the_order_is_read_for_who_calls_and_the_cart_is_shown_with_what_was_left_out(again: Again) -> None:
    answer = await again.order(ORDER.upper())
    assert again.orders.caller.user_id == "ann"
    assert (units(answer.cart), answer.cart.user_id, answer.cart.version) == ({"tea": 2}, "ann", 1)
    assert (answer.cart.lines[0].title, answer.cart.total.units) == ("Tea", 10)
    assert list(answer.left_out) == [LEFT_OUT(sku="gone", title="A lamp", quantity=1, reason=LEFT_OUT.NOT_SOLD)]


async def test_who_expects_another_version_gets_the_cart_and_changes_nothing(again: Again) -> None:
    seen = (await again.order()).cart.version
    refused = await calls.refused(again.order(expected=seen + 1))
    assert (refused.reason, refused.metadata["version"]) == ("CART_CHANGED", str(seen))
    assert (await again.order(expected=seen)).cart.version == seen


async def test_orders_of_others_and_orders_that_are_not_there_are_told_apart_by_nobody(again: Again) -> None:
    for order_id, who in ((ORDER, "bob"), (NONE, "ann")):
        refused = await calls.refused(again.order(order_id, who=who))
        assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "ORDER_NOT_FOUND")


async def test_an_order_service_that_cannot_answer_makes_it_unavailable(again: Again, carts: usecases.Carts) -> None:
    again.orders.fails = errors.unavailable()
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await again.order()
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert (await carts.get(ANN)).version == 0
