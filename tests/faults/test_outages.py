"""Parts that fall silent, refuse, or keep an order waiting: whatever was held or taken is given back in the end."""

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest_asyncio

from tests.faults.trickle import assert_all_is_well, begun
from tests.support import audit, shop
from tests.support.polling import eventually


class Provider:
    """The payment provider's controls."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def becomes(self, mode: str) -> None:
        """From now on it is normal, down, gives errors to all, or answers nobody."""
        shop.taken(await self._http.put("/control", json={"mode": mode}))


@pytest_asyncio.fixture
async def provider(environment: Mapping[str, str]) -> AsyncIterator[Provider]:
    """The provider; it is normal again afterwards."""
    async with httpx.AsyncClient(base_url=environment["PAYMENT_PROVIDER_URL"], trust_env=False) as http:
        yield Provider(http)
        await http.delete("/control")


async def test_a_provider_that_hangs_too_long_cancels_the_order_and_charges_nothing(
    market: shop.Shop, auditor: audit.Auditor, provider: Provider
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    await provider.becomes("hang")
    order = await customer.place(shop.basket((tea, 2)))

    await customer.reached(order["id"], "CANCELLING")
    await provider.becomes("normal")
    ended = await customer.settled(order["id"], within_s=30)

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "PAYMENT_TIMEOUT")
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    [event] = [e for e in (await customer.status(order["id"]))["timeline"] if e["event"] == "DeadlinePassed"][:1]
    assert (event["actor"], event["status"]) == ("timer", "CANCELLING")
    await auditor.audit([order["id"]])


async def test_money_that_was_held_before_the_provider_fell_silent_is_let_go(
    market: shop.Shop, auditor: audit.Auditor, provider: Provider
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 2), card="card_timeout_after_charge"))

    async def charged() -> bool:
        return bool(await auditor.provider_log(order["id"]))

    await eventually(charged)
    await provider.becomes("hang")
    await customer.reached(order["id"], "CANCELLING")
    await provider.becomes("normal")
    ended = await customer.settled(order["id"], within_s=30)

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "PAYMENT_TIMEOUT")
    assert [line["effect"] for line in await auditor.provider_log(order["id"])] == ["authorized", "voided"]
    await auditor.audit([order["id"]])


async def test_a_provider_that_is_down_for_a_while_costs_no_order_its_books(
    market: shop.Shop, auditor: audit.Auditor, provider: Provider
) -> None:
    trickle = await begun(market, 20)
    flowing = asyncio.create_task(trickle.flow())

    async def accepted(count: int) -> bool:
        return len(await auditor.orders_of(trickle.customer.user_id)) >= count

    for count, mode in ((5, "errors"), (10, "normal"), (15, "down")):
        await eventually(functools.partial(accepted, count), within_s=60)
        await provider.becomes(mode)
    order_ids = await flowing
    # The last order wants its money, and the provider is down.
    await trickle.customer.reached(order_ids[-1], "RESERVED", "CANCELLING", "CANCELLED")
    await provider.becomes("normal")

    await assert_all_is_well(trickle, order_ids, auditor)


async def test_an_order_cancelled_while_its_stock_is_asked_for_keeps_nothing(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    async with busy_stock(environment, tea):
        order = await customer.place(shop.basket((tea, 2)))
        cancelled = await customer.cancel(order["id"])
        assert (cancelled["status"], cancelled["cancel_reason"]) == ("CANCELLING", "CANCEL_REQUESTED")

    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["payment_id"]) == ("CANCELLED", "")
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    assert await auditor.provider_log(order["id"]) == []
    await auditor.audit([order["id"]])


async def test_stock_that_is_not_answered_for_in_time_cancels_the_order(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    async with busy_stock(environment, tea):
        order = await customer.place(shop.basket((tea, 2)))
        await customer.reached(order["id"], "CANCELLING")

    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "STOCK_TIMEOUT")
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    await auditor.audit([order["id"]])


@asynccontextmanager
async def busy_stock(environment: Mapping[str, str], product: shop.Product) -> AsyncIterator[Any]:
    """Somebody else has the stock of a product locked: inventory cannot answer while the block lasts."""
    url = environment["INVENTORY_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT FROM stock WHERE sku = %s FOR UPDATE", [product.sku])
        yield
