"""What callers may do, and what holds whatever they say: prices, held stock, broken watches, ids in capitals."""

import pytest

from tests.contract.world import World, refusal
from tests.support import audit, shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_price_is_the_catalogs_whatever_the_caller_says(world: World) -> None:
    customer, product = world.people["customer"], world.products["vendors"]
    body = shop.basket((product, 1))
    body["items"][0] |= {"unit_price": {"currency_code": "USD", "units": 0, "nanos": 10_000_000}}

    order = await customer.place(body | {"total": {"currency_code": "USD", "units": 0}, "status": "CONFIRMED"})

    assert (order["status"], shop.cents(order["total"])) == ("PENDING", product.cents)
    await customer.settled(order["id"])


async def test_stock_that_orders_hold_cannot_be_counted_away(world: World, auditor: audit.Auditor) -> None:
    customer, vendor, product = world.people["customer"], world.people["vendor"], world.products["vendors"]
    order = await customer.place(shop.basket((product, 2), card="card_slow"))
    await customer.reached(order["id"], "RESERVED")

    answer = await vendor.http.put(f"/api/v1/products/{product.id}/stock", json={"warehouse": "east", "on_hand": 1})

    assert refusal(answer) == (400, "STOCK_BELOW_RESERVED")
    await customer.settled(order["id"])
    await auditor.audit([order["id"]])


async def test_a_watch_that_broke_is_resumed_behind_its_last_event(world: World) -> None:
    customer, path = world.people["customer"], f"/api/v1/orders/{world.order_id}/watch"
    whole = (await customer.http.get(path)).text.splitlines()

    resumed = await customer.http.get(path, params={"after_sequence": 2})

    assert len(whole) > 2
    assert resumed.text.splitlines() == whole[2:]
    assert (await customer.http.get(path, params={"after_sequence": 2**62})).text == ""


@pytest.mark.parametrize(
    "path",
    [
        "orders/{order}",
        "orders/{order}/status",
        "orders/{order}/events",
        "orders/{order}/watch",
        "payments/{order}",
        "products/{product}",
    ],
)
async def test_an_id_may_be_written_in_capitals(world: World, path: str) -> None:
    written = path.format(order=world.order_id.upper(), product=world.products["vendors"].id.upper())

    assert (await world.people["customer"].http.get(f"/api/v1/{written}")).status_code == 200
