"""What the provider tells of by itself, through the edge: signed by the simulator, heard once, followed in the books."""

from collections.abc import AsyncIterator, Mapping

import httpx
import psycopg
import pytest_asyncio

from tests.support import audit, shop
from tests.support.polling import eventually

SECRET = "whsec_of_tests"


@pytest_asyncio.fixture
async def provider(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """The simulated provider, which tells the shop of what happens as long as the test runs."""
    async with httpx.AsyncClient(base_url=environment["PAYMENT_PROVIDER_URL"], trust_env=False) as http:
        url = f"{environment['EDGE_URL']}/api/v1/payments/webhooks/simulator"
        await http.put("/webhooks", json={"url": url, "secret": SECRET})
        yield http
        await http.put("/webhooks", json={})


async def _books(environment: Mapping[str, str], asked: str, order_id: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(environment["PAYMENT_DATABASE_URL"]) as connection:
        return list(await (await connection.execute(asked, [order_id])).fetchall())


HEARD = """
SELECT type FROM webhook_events AS e JOIN payments AS p ON p.provider_reference = e.reference
WHERE p.order_id = %s ORDER BY type
"""
BALANCES = """
SELECT account, sum(e.amount)::bigint FROM ledger_entries AS e JOIN payments AS p ON p.id = e.payment_id
WHERE p.order_id = %s GROUP BY account HAVING sum(e.amount) <> 0 ORDER BY account
"""


async def test_an_orders_events_are_heard_and_a_dispute_follows_in_the_ledger(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str], provider: httpx.AsyncClient
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 1)))
    await customer.settled(order["id"])

    async def told() -> bool:
        return await _books(environment, HEARD, order["id"]) == [("charge.authorized",), ("charge.captured",)]

    await eventually(told)
    payment = await customer.payment(order["id"])
    about = {"charge": payment["provider_reference"], "status": "needs_response"}
    (await provider.post("/v1/disputes", json=about)).raise_for_status()
    total = shop.cents(payment["captured_amount"])

    async def disputed() -> bool:
        return await _books(environment, BALANCES, order["id"]) == [("disputed", total), ("order_revenue", -total)]

    await eventually(disputed)
    await auditor.audit([order["id"]])
