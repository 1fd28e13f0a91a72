"""What vendors are due, as they and who runs the shop see it: over REST, after an order with two vendors' lines."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.support import audit, sending_back, shipments, shop


async def product_of(market: shop.Shop, vendor: shop.Person, cents: int) -> shop.Product:
    await market.category()
    sku = shop.new_sku()
    made = shop.taken(await vendor.post("/api/v1/products", shop.product_body(sku, cents)))
    product = shop.Product(made["id"], sku, cents)
    await market.put_stock(product, 5)
    return product


def span() -> dict[str, str]:
    now = datetime.now(UTC)
    return {"from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}


async def payouts(asks: shop.Person, **filters: str) -> list[shop.Json]:
    found = shop.taken(await asks.http.get("/api/v1/payments/payouts", params=span() | filters))
    return list(found["payouts"])


async def captured(asks: shop.Person) -> shop.Json:
    """What a vendor is due, once it is due anything."""
    async with asyncio.timeout(shop.SETTLE_S):
        while not (found := await payouts(asks)):
            await asyncio.sleep(shop.POLL_S)
    return found[0]


async def test_a_line_that_comes_back_is_borne_by_its_vendor_and_by_no_other(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    potter, weaver = await market.vendor(), await market.vendor()
    pot, rug = await product_of(market, potter, 1999), await product_of(market, weaver, 5000)
    order = await customer.place(shop.basket((pot, 2), (rug, 1)))
    await customer.settled(order["id"])
    await shipments.deliver(customer, admin, order["id"])
    whole = int((await captured(potter))["captured"])

    asked = await sending_back.request(customer, order["id"], (pot.sku, 2), reason="CHANGED_MIND")
    await sending_back.arrived(admin, asked["id"], (pot.sku, 2, 0))
    ended = await sending_back.refunded(customer, asked["id"])

    [own], [other] = await payouts(potter), await payouts(weaver)
    assert (int(own["captured"]), int(own["refunded"]), int(own["payable"])) == (whole, whole, 0)
    assert int(own["refunded"]) == shop.cents(ended["refunded_amount"])
    assert (int(other["refunded"]), other["payable"], other["captures"]) == (0, other["captured"], "1")
    assert await payouts(admin, vendor_id=weaver.user_id) == [other]
    refused = await potter.http.get("/api/v1/payments/payouts", params=span() | {"vendor_id": weaver.user_id})
    assert refused.status_code == 404
    await auditor.audit([order["id"]])


async def test_a_cancelled_order_leaves_its_vendors_nothing(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, vendor = await market.customer(), await market.vendor()
    order = await customer.place(shop.basket((await product_of(market, vendor, 1250), 1)))
    await captured(vendor)
    await customer.cancel(order["id"])
    await customer.reached(order["id"], "CANCELLED")

    [own] = await payouts(vendor)
    assert (own["refunded"], int(own["payable"])) == (own["captured"], 0)
    await auditor.audit([order["id"]])
