"""Lines saved for later, over calls and in a real Redis."""

import asyncio
from typing import Any

import pytest

from services.cart import domain, usecases
from souk.cart.v1 import cart_pb2, cart_service_pb2, cart_service_pb2_grpc
from tests.integration.cart.shelf import units
from tests.support import calls

ANN = domain.of_user("ann")


def lists(cart: domain.Cart | cart_pb2.Cart) -> tuple[dict[str, int], dict[str, int]]:
    """What is in the cart, and what is saved for later, by SKU."""
    return units(cart), {line.sku: line.quantity for line in cart.saved}


@pytest.mark.parametrize("who", ["user", "guest"])
async def test_a_line_is_saved_comes_back_and_is_forgotten(shop: calls.Shop, carts: usecases.Carts, who: str) -> None:
    stub: Any = cart_service_pb2_grpc.CartServiceStub(shop.channel)
    place = ANN if who == "user" else domain.of_guest(await carts.create())
    say = {"metadata": shop.as_user("ann")} if who == "user" else {}
    named = {} if who == "user" else {"cart_id": place.id}
    word = "" if who == "user" else "Guest"
    await carts.add(place, "tea", 2)
    seen = (await carts.add(place, "cup", 1)).version

    async def move(method: str, **more: int) -> cart_pb2.Cart:
        request = getattr(cart_service_pb2, f"{method}Request")(sku="tea", **named, **more)
        moved: cart_pb2.Cart = await getattr(stub, method)(request, **say)
        return moved

    assert lists(await move(f"Save{word}CartItem", expected_version=seen)) == ({"cup": 1}, {"tea": 2})
    shown = await move(f"Restore{word}CartItem")
    assert lists(shown) == ({"cup": 1, "tea": 2}, {})
    await move(f"Save{word}CartItem")
    assert lists(await move(f"Forget{word}SavedItem")) == ({"cup": 1}, {})
    late = move(f"Save{word}CartItem", expected_version=1)
    assert (await calls.refused(late)).reason == "CART_CHANGED"


async def test_what_is_saved_shows_its_price_and_stock_and_costs_nothing(
    shop: calls.Shop, carts: usecases.Carts
) -> None:
    await carts.add(ANN, "tea", 2)
    await carts.save(ANN, "tea")
    stub: Any = cart_service_pb2_grpc.CartServiceStub(shop.channel)
    cart = await stub.GetCart(cart_service_pb2.GetCartRequest(), metadata=shop.as_user("ann"))
    assert [(line.title, line.available, line.unit_price.units) for line in cart.saved] == [("Tea", 50, 5)]
    assert not cart.HasField("total")


async def test_moves_that_race_lose_no_unit(carts: usecases.Carts) -> None:
    for sku in ("tea", "cup", "pot"):
        await carts.add(ANN, sku, 3)
    moves = [carts.save(ANN, sku) for sku in ("tea", "cup", "pot")]
    adders = [carts.add(ANN, "sku-0", 1) for _ in range(10)]
    await asyncio.gather(*moves, *adders)
    assert lists(await carts.get(ANN)) == ({"sku-0": 10}, {"tea": 3, "cup": 3, "pot": 3})


async def test_what_a_guest_saved_is_there_after_signing_in(carts: usecases.Carts) -> None:
    guest = await carts.create()
    await carts.add(domain.of_guest(guest), "tea", 2)
    await carts.save(domain.of_guest(guest), "tea")
    await carts.add(ANN, "cup", 1)
    assert lists(await carts.merge(guest, "ann")) == ({"cup": 1}, {"tea": 2})
