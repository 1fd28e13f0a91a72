"""Carts on a real gRPC server and a real Redis."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from services.cart import domain, rpc, store, usecases
from services.chassis import errors, redis_store
from services.chassis.rpc import status
from souk.cart.v1 import cart_pb2, cart_service_pb2, cart_service_pb2_grpc
from tests.integration.cart import shelf
from tests.integration.cart.shelf import LIFETIMES, units
from tests.support import calls


def stub(shop: calls.Shop) -> Any:
    return cart_service_pb2_grpc.CartServiceStub(shop.channel)


def somebody() -> str:
    return str(uuid.uuid4())


async def test_a_users_cart_is_theirs_alone_and_needs_a_token(shop: calls.Shop) -> None:
    ann, bob = shop.as_user(somebody()), shop.as_user(somebody())
    add = cart_service_pb2.AddCartItemRequest(sku="tea", quantity=2)
    assert units(await stub(shop).AddCartItem(add, metadata=ann)) == {"tea": 2}
    theirs = await stub(shop).GetCart(cart_service_pb2.GetCartRequest(), metadata=bob)
    assert (units(theirs), theirs.version) == ({}, 0)
    assert (await calls.refused(stub(shop).AddCartItem(add))).reason == "TOKEN_MISSING"


async def test_a_guest_needs_the_id_and_nothing_else(shop: calls.Shop) -> None:
    guest = (await stub(shop).CreateGuestCart(cart_service_pb2.CreateGuestCartRequest())).cart_id
    add = cart_service_pb2.AddGuestCartItemRequest(cart_id=guest, sku="tea", quantity=1)
    assert units(await stub(shop).AddGuestCartItem(add)) == {"tea": 1}
    unknown = cart_service_pb2.AddGuestCartItemRequest(cart_id="guessed", sku="tea", quantity=1)
    assert (await calls.refused(stub(shop).AddGuestCartItem(unknown))).reason == "CART_NOT_FOUND"
    removal = cart_service_pb2.SetGuestCartItemRequest(cart_id=guest, sku="tea", quantity=0)
    assert units(await stub(shop).SetGuestCartItem(removal)) == {}


async def lost_race(call: Any) -> tuple[errors.DomainError, cart_pb2.Cart | None]:
    """How a call was refused, and the cart that the refusal carries."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    told, cart = rpc_status.from_call(refused.value), cart_pb2.Cart()  # type: ignore[arg-type]
    carried = [detail for detail in told.details if detail.Unpack(cart)] if told else []
    parsed = status.parse(refused.value)
    assert isinstance(parsed, errors.DomainError)
    return parsed, cart if carried else None


async def test_a_write_for_another_version_changes_nothing_and_carries_the_current_cart(shop: calls.Shop) -> None:
    ann = shop.as_user(somebody())
    for _ in range(2):
        await stub(shop).AddCartItem(cart_service_pb2.AddCartItemRequest(sku="tea", quantity=1), metadata=ann)
    late = cart_service_pb2.SetCartItemRequest(sku="tea", quantity=9, expected_version=1)
    refused, carried = await lost_race(stub(shop).SetCartItem(late, metadata=ann))
    assert (refused.code, refused.reason) == (errors.Code.ABORTED, "CART_CHANGED")
    assert refused.metadata["version"] == "2"
    assert carried is not None
    assert (units(carried), carried.version, carried.without_prices) == ({"tea": 2}, 2, True)
    assert units(await stub(shop).GetCart(cart_service_pb2.GetCartRequest(), metadata=ann)) == {"tea": 2}


async def test_a_cart_that_is_too_large_for_an_error_must_be_read(
    shop: calls.Shop, carts: usecases.Carts, market: shelf.Shop
) -> None:
    user_id = somebody()
    market.away = {"catalog"}
    for number in range(domain.MOST_LINES):
        await carts.add(domain.of_user(user_id), f"{number:064}", 1)
    late = cart_service_pb2.SetCartItemRequest(sku="tea", quantity=9, expected_version=1)
    refused, carried = await lost_race(stub(shop).SetCartItem(late, metadata=shop.as_user(user_id)))
    assert (refused.reason, refused.metadata["version"], carried) == ("CART_CHANGED", str(domain.MOST_LINES), None)


async def test_fifty_who_add_at_once_lose_nothing(carts: usecases.Carts) -> None:
    place = domain.of_user(somebody())
    await asyncio.gather(*(carts.add(place, f"sku-{number % 5}", 1) for number in range(50)))
    cart = await carts.get(place)
    assert (units(cart), cart.version) == ({f"sku-{number}": 10 for number in range(5)}, 50)


async def test_of_writers_that_have_seen_the_same_version_one_wins(carts: usecases.Carts) -> None:
    place = domain.of_user(somebody())
    await carts.add(place, "tea", 1)
    writes = (carts.add(place, "tea", 1, expected=1) for _ in range(10))
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    lost = [outcome for outcome in outcomes if isinstance(outcome, errors.DomainError)]
    assert [error.reason for error in lost] == ["CART_CHANGED"] * 9
    assert units(await carts.get(place)) == {"tea": 2}


async def test_a_merge_adds_once_however_often_it_is_repeated_at_the_same_time(carts: usecases.Carts) -> None:
    guest, user_id = await carts.create(), somebody()
    await carts.add(domain.of_guest(guest), "tea", 2)
    await carts.add(domain.of_user(user_id), "tea", 1)
    await asyncio.gather(*(carts.merge(guest, user_id) for _ in range(5)))
    assert units(await carts.merge(guest, user_id)) == {"tea": 3}
    with pytest.raises(errors.DomainError, match="CART_NOT_FOUND"):
        await carts.get(domain.of_guest(guest))
    with pytest.raises(errors.DomainError, match="CART_NOT_FOUND"):
        await carts.merge(guest, somebody())


async def test_a_merge_into_another_version_changes_neither_cart_and_a_repeated_one_is_answered(
    shop: calls.Shop, carts: usecases.Carts
) -> None:
    guest, user_id = await carts.create(), somebody()
    await carts.add(domain.of_guest(guest), "tea", 2)
    await carts.add(domain.of_user(user_id), "cup", 1)
    ann = shop.as_user(user_id)
    merge = cart_service_pb2.MergeCartRequest(cart_id=guest, expected_version=2)
    refused, carried = await lost_race(stub(shop).MergeCart(merge, metadata=ann))
    assert (refused.reason, carried and units(carried)) == ("CART_CHANGED", {"cup": 1})
    assert units(await carts.add(domain.of_guest(guest), "tea", 1)) == {"tea": 3}
    merge.expected_version = 1
    for _ in range(2):
        assert units(await stub(shop).MergeCart(merge, metadata=ann)) == {"cup": 1, "tea": 3}


@pytest.mark.parametrize("done", [1, 2])
async def test_a_merge_that_died_after_a_write_is_completed_by_repeating_it(
    carts: usecases.Carts, redis: redis_store.RedisStore, done: int
) -> None:
    guest, user_id = await carts.create(), somebody()
    place, own = domain.of_guest(guest), domain.of_user(user_id)
    await carts.add(place, "tea", 2)
    claimed = replace(await carts.get(place), merging_into=user_id)
    assert await store.replace(redis, place, claimed, lifetime_s=60)
    if done > 1:
        assert await store.replace(redis, own, domain.merged(domain.EMPTY, claimed, guest), lifetime_s=60)
    with pytest.raises(errors.DomainError, match="CART_NOT_FOUND"):
        await carts.add(place, "tea", 1)
    with pytest.raises(errors.DomainError, match="CART_NOT_FOUND"):
        await carts.merge(guest, somebody())
    assert units(await carts.merge(guest, user_id)) == {"tea": 2}
    assert await store.load(redis, place) is None


async def test_a_confirmed_order_takes_out_what_was_ordered_once(carts: usecases.Carts) -> None:
    place = domain.of_user(somebody())
    await carts.add(place, "tea", 3)
    await carts.add(place, "cup", 1)
    order = domain.Ordered(somebody(), place.id, {"tea": 2, "cup": 1, "pot": 1})
    await carts.take_out([order])
    await carts.take_out([order, order])
    assert units(await carts.get(place)) == {"tea": 1}


async def test_a_batch_of_confirmed_orders_takes_from_each_buyer_what_they_ordered_and_writes_nothing_in_vain(
    carts: usecases.Carts, redis: redis_store.RedisStore
) -> None:
    buyers = [somebody() for _ in range(4)]
    for buyer, sku in zip(buyers[:3], ("tea", "tea", "cup"), strict=True):
        await carts.add(domain.of_user(buyer), sku, 5)
    orders = [domain.Ordered(somebody(), buyer, {"tea": 1}) for buyer in (*buyers, buyers[0])]
    for _ in range(2):
        await carts.take_out(orders)
    found = await store.load_all(redis, [domain.of_user(buyer) for buyer in buyers])
    assert [units(cart) for cart in found.values()] == [{"tea": 3}, {"tea": 4}, {"cup": 5}]
    assert [cart.revision for cart in found.values()] == [2, 2, 1]


async def test_buyers_who_change_their_carts_while_orders_are_confirmed_lose_no_line(carts: usecases.Carts) -> None:
    places = [domain.of_user(somebody()) for _ in range(5)]
    for place in places:
        await carts.add(place, "tea", 40)
    orders = [domain.Ordered(somebody(), place.id, {"tea": 1}) for place in places for _ in range(8)]
    adding = (carts.add(place, "cup", 1) for place in places for _ in range(8))
    await asyncio.gather(*adding, *(carts.take_out(orders[start::8]) for start in range(8)))
    assert [units(await carts.get(place)) for place in places] == [{"tea": 32, "cup": 8}] * 5


async def test_every_change_extends_the_life_of_a_cart(carts: usecases.Carts, redis: redis_store.RedisStore) -> None:
    guest = await carts.create()
    async with redis.commands() as commands:
        await commands.expire(redis.key("guest", guest), 5)
        await carts.add(domain.of_guest(guest), "tea", 1)
        assert 5 < await commands.ttl(redis.key("guest", guest)) <= LIFETIMES.guest_s


async def test_a_redis_that_is_down_is_unavailable_and_never_an_empty_cart() -> None:
    nowhere = redis_store.RedisStore("redis://127.0.0.1:1", "test", timeout_s=0.5)
    async with calls.served(rpc.servicer(shelf.carts_in(nowhere, shelf.Shop())), "cart") as served:
        call = stub(served).GetCart(cart_service_pb2.GetCartRequest(), metadata=served.as_user(somebody()))
        assert (await calls.refused(call)).code is errors.Code.UNAVAILABLE
    await nowhere.stop()
