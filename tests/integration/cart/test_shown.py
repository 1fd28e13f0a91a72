"""What carts show of the shop: current prices and stock, and what has changed since a line was put in."""

from typing import Any

import pytest

from services.cart import domain, usecases
from services.chassis.rpc import render
from souk.cart.v1 import cart_pb2, cart_service_pb2, cart_service_pb2_grpc
from tests.integration.cart.shelf import Shop, units
from tests.support import calls

Change = cart_pb2.CartLine.Change
ANN = domain.of_user("ann")


class Buyer:
    """Somebody who signed in, and their cart over gRPC."""

    def __init__(self, shop: calls.Shop) -> None:
        self._stub: Any = cart_service_pb2_grpc.CartServiceStub(shop.channel)
        self._token = shop.as_user("ann")

    async def add(self, sku: str, quantity: int) -> cart_pb2.Cart:
        request = cart_service_pb2.AddCartItemRequest(sku=sku, quantity=quantity)
        cart: cart_pb2.Cart = await self._stub.AddCartItem(request, metadata=self._token)
        return cart

    async def set(self, sku: str, quantity: int) -> cart_pb2.Cart:
        request = cart_service_pb2.SetCartItemRequest(sku=sku, quantity=quantity)
        cart: cart_pb2.Cart = await self._stub.SetCartItem(request, metadata=self._token)
        return cart

    async def cart(self) -> cart_pb2.Cart:
        cart: cart_pb2.Cart = await self._stub.GetCart(cart_service_pb2.GetCartRequest(), metadata=self._token)
        return cart


@pytest.fixture
def buyer(shop: calls.Shop) -> Buyer:
    return Buyer(shop)


def cost(amount: Any) -> str:
    return str(render.money_value(amount))


def changes(cart: cart_pb2.Cart) -> dict[str, list[str]]:
    return {line.sku: [Change.Name(change) for change in line.changes] for line in cart.lines}


async def test_a_cart_shows_current_titles_prices_and_totals(buyer: Buyer) -> None:
    await buyer.add("tea", 2)
    cart = await buyer.add("cup", 1)
    tea, cup = cart.lines
    assert (tea.title, cost(tea.unit_price), cost(tea.total), tea.available) == ("Tea", "5.00 USD", "10.00 USD", 50)
    assert (cost(cup.total), cost(cart.total)) == ("3.00 USD", "13.00 USD")
    assert changes(cart) == {"tea": [], "cup": []}


async def test_what_changed_since_a_line_was_put_in_is_said(buyer: Buyer, market: Shop) -> None:
    for sku in ("tea", "cup", "pot"):
        await buyer.add(sku, 3)
    market.prices["tea"] = 450
    market.stock["tea"] = 2
    del market.prices["cup"]
    cart = await buyer.cart()
    assert changes(cart) == {"tea": ["PRICE_CHANGED", "FEWER_IN_STOCK"], "cup": ["NOT_SOLD"], "pot": []}
    tea, cup, _ = cart.lines
    assert (cost(tea.price_when_added), cost(tea.unit_price), tea.available) == ("5.00 USD", "4.50 USD", 2)
    assert (cost(cup.price_when_added), cup.HasField("unit_price"), cup.title) == ("3.00 USD", False, "")
    assert cost(cart.total) == "73.47 USD"


async def test_a_quantity_that_is_written_again_takes_the_current_price(buyer: Buyer, market: Shop) -> None:
    await buyer.add("tea", 1)
    market.prices["tea"] = 600
    assert changes(await buyer.cart()) == {"tea": ["PRICE_CHANGED"]}
    assert changes(await buyer.set("tea", 1)) == {"tea": []}


async def test_what_is_not_for_sale_is_refused_and_what_no_longer_is_can_be_reduced(
    carts: usecases.Carts, market: Shop
) -> None:
    for put in (carts.add, carts.set_quantity):
        with pytest.raises(Exception, match="SKU_UNKNOWN"):
            await put(ANN, "nothing", 1)
    await carts.add(ANN, "tea", 3)
    del market.prices["tea"]
    with pytest.raises(Exception, match="SKU_UNKNOWN"):
        await carts.add(ANN, "tea", 1)
    assert units(await carts.set_quantity(ANN, "tea", 2)) == {"tea": 2}
    assert units(await carts.set_quantity(ANN, "tea", 0)) == {}


async def test_a_catalog_that_is_away_leaves_out_prices_and_nothing_else(buyer: Buyer, market: Shop) -> None:
    await buyer.add("tea", 2)
    market.away = {"catalog"}
    cart = await buyer.add("anything", 1)
    assert units(cart) == {"tea": 2, "anything": 1}
    assert (cart.without_prices, cart.without_stock, cart.HasField("total")) == (True, False, False)
    assert [line.HasField("unit_price") for line in cart.lines] == [False, False]
    assert changes(cart) == {"tea": [], "anything": ["FEWER_IN_STOCK"]}
    market.away = set()
    assert changes(await buyer.cart()) == {"tea": [], "anything": ["NOT_SOLD", "FEWER_IN_STOCK"]}


async def test_an_inventory_that_is_away_leaves_out_stock_and_nothing_else(buyer: Buyer, market: Shop) -> None:
    market.away = {"inventory"}
    cart = await buyer.add("tea", 99)
    assert (cart.without_prices, cart.without_stock, cost(cart.total)) == (False, True, "495.00 USD")
    assert not cart.lines[0].HasField("available")
    assert changes(cart) == {"tea": []}
