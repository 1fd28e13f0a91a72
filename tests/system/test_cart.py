"""From a guest's cart to a confirmed order, as callers of the edge see it."""

import asyncio

from tests.support import audit, shop
from tests.support.polling import eventually

CART, GUEST = "/api/v1/cart", "/api/v1/cart/guest"


def _held(cart: shop.Json) -> dict[str, int]:
    return {line["sku"]: int(line["quantity"]) for line in cart["lines"]}


async def test_a_guest_collects_signs_in_checks_out_once_and_finds_the_cart_empty(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    tea, pot = await market.product(cents=350), await market.product(cents=1999)
    stranger, customer = await market.stranger(), await market.customer()
    guest = shop.taken(await stranger.post(GUEST, {}))["cart_id"]
    for product, quantity in ((tea, 2), (pot, 1)):
        line = {"cart_id": guest, "sku": product.sku, "quantity": quantity}
        shop.taken(await stranger.post(f"{GUEST}/items", line))
    shop.taken(await customer.post(f"{CART}/items", {"sku": tea.sku, "quantity": 1}))

    merged = shop.taken(await customer.post(f"{CART}/merge", {"cart_id": guest}))
    assert _held(merged) == {tea.sku: 3, pot.sku: 1}
    assert shop.cents(merged["total"]) == 3 * 350 + 1999
    assert (await stranger.http.get(GUEST, params={"cart_id": guest})).status_code == 404

    terms = {
        "expected_version": merged["version"],
        "shipping_address": shop.ADDRESS,
        "payment_method": shop.PAYS,
        "expected_total": merged["total"],
    }
    made = await asyncio.gather(*(customer.post(f"{CART}/checkout", terms) for _ in range(5)))
    [order_id] = {shop.taken(answer)["order_id"] for answer in made}
    settled = await customer.settled(order_id)
    assert (settled["status"], shop.cents(settled["total"])) == (shop.PAID, 3049)
    assert {line["sku"]: int(line["quantity"]) for line in settled["lines"]} == {tea.sku: 3, pot.sku: 1}

    async def is_empty() -> bool:
        return _held(shop.taken(await customer.http.get(CART))) == {}

    await eventually(is_empty)
    await auditor.audit([order_id])


async def test_a_cart_says_what_has_changed_since_a_line_was_put_in(market: shop.Shop) -> None:
    product, customer, admin = await market.product(stock=5, cents=350), await market.customer(), await market.admin()
    shop.taken(await customer.post(f"{CART}/items", {"sku": product.sku, "quantity": 4}))
    body = shop.product_body(product.sku, 400)
    shop.taken(await admin.http.put(f"/api/v1/products/{product.id}", json=body | {"version": 1}))
    await market.put_stock(product, 3)

    async def says_both() -> bool:
        [line] = shop.taken(await customer.http.get(CART))["lines"]
        return set(line["changes"]) == {"PRICE_CHANGED", "FEWER_IN_STOCK"} and shop.cents(line["total"]) == 1600

    await eventually(says_both)
