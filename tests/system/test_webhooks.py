"""What the provider and the carrier tell of by themselves, through the edge: signed by the simulators, heard, and followed."""

from collections.abc import AsyncIterator, Mapping

import httpx
import psycopg
import pytest_asyncio

from tests.support import audit, shipments, shop
from tests.support.polling import eventually

SECRET, CARRIER_SECRET = "whsec_of_tests", "whsec_of_carrier_tests"


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


# No look at this parcel for an hour: only a webhook can make one.
LATER = "UPDATE parcels SET next_try_at = clock_timestamp() + interval '1 hour' WHERE id = %s AND state = 'IN_TRANSIT'"


@pytest_asyncio.fixture
async def carrier(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """The simulated carrier. What a test makes of it ends with the test."""
    async with httpx.AsyncClient(base_url=environment["CARRIER_URL"], trust_env=False) as http:
        yield http
        await http.put("/webhooks", json={})
        await http.delete("/control")


async def test_a_delivery_is_seen_long_before_the_carrier_would_be_asked(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str], carrier: httpx.AsyncClient
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 1)))
    await customer.settled(order["id"])
    [parcel] = await shipments.labelled(customer, order["id"])
    admin = await market.admin()
    # Others ship with it too: its clock does not stand still for long.
    (await carrier.put("/control", json={"speed": 0})).raise_for_status()
    await shipments.hand_over(admin, parcel)

    async def set_off() -> bool:
        [now] = await shipments.of_order(customer, order["id"])
        return bool(now["events"][-1]["event"] == "ACCEPTED")

    await eventually(set_off, within_s=shop.SETTLE_S)
    async with await psycopg.AsyncConnection.connect(environment["SHIPPING_DATABASE_URL"], autocommit=True) as shipping:
        assert (await shipping.execute(LATER, [parcel["id"]])).rowcount == 1

    hook = {
        "url": f"{environment['EDGE_URL']}/api/v1/shipping/webhooks/simulator",
        "secret": CARRIER_SECRET,
        "copies": 2,
    }
    (await carrier.put("/webhooks", json=hook)).raise_for_status()
    (await carrier.delete("/control")).raise_for_status()

    await customer.reached(order["id"], "DELIVERED")
    await auditor.audit([order["id"]])
