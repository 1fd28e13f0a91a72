"""Promotional prices as callers of the edge see them: charged, compared with the earlier price, and ended."""

from tests.support import shop
from tests.support.audit import Auditor
from tests.support.polling import eventually

PRICES = "/api/v1/promotional-prices"


def usd(cents: int) -> shop.Json:
    return {"currency_code": "USD", "units": cents // 100, "nanos": cents % 100 * 10_000_000}


async def test_a_promotional_price_is_shown_with_the_earlier_one_found_charged_and_ended(
    market: shop.Shop, auditor: Auditor
) -> None:
    admin, stranger, customer = await market.admin(), await market.stranger(), await market.customer()
    tea = await market.product(cents=1000)
    body = {"sku": tea.sku, "price": usd(800), "title": "Sale"}
    made = shop.taken(await admin.post(PRICES, body, key=shop.new_key()))

    async def variant() -> shop.Json:
        found = shop.taken(await stranger.http.get(f"/api/v1/products/{tea.id}"))["variants"][0]
        return dict(found)

    async def is_reduced() -> bool:
        return shop.cents((await variant())["price"]) == 800

    await eventually(is_reduced)
    shown = await variant()
    assert (shop.cents(shown["earlier_price"]), shop.cents(shown["regular_price"])) == (1000, 1000)

    async def is_found() -> bool:
        found = shop.taken(await stranger.http.get("/api/v1/products/search", params={"text": tea.sku}))["results"]
        shown = [(shop.cents(one["price_from"]), one.get("earlier_price")) for one in found]
        return shown == [(800, usd(1000) | {"units": "10"})]

    await eventually(is_found)

    async def is_charged() -> bool:
        asked = {"items": [{"sku": tea.sku, "quantity": 1}], "shipping_address": shop.ADDRESS}
        return shop.cents(shop.taken(await customer.post("/api/v1/orders/quote", asked))["totals"]["total"]) == 800

    # The order service remembers a price for a second.
    await eventually(is_charged)
    order = await customer.place(shop.basket((tea, 1)))
    assert shop.cents((await customer.settled(order["id"]))["total"]) == 800
    await auditor.audit([order["id"]])

    shop.taken(await admin.http.put(f"{PRICES}/{made['id']}/end", json={}))

    async def is_regular() -> bool:
        now = await variant()
        return shop.cents(now["price"]) == 1000 and now.get("earlier_price") is None

    await eventually(is_regular)
    history = shop.taken(await stranger.http.get(f"/api/v1/products/{tea.id}/prices"))["prices"]
    assert [(shop.cents(one["price"]), one["promotional"]) for one in history] == [
        (1000, False),
        (800, True),
        (1000, False),
    ]
