"""An order of before is put into the cart again and ordered once more, as callers of the edge see it."""

from tests.support import shop
from tests.support.polling import eventually

CART = "/api/v1/cart"


def _held(shown: shop.Json) -> dict[str, int]:
    return {line["sku"]: int(line["quantity"]) for line in shown["lines"]}


async def _check_out(customer: shop.Person, version: str) -> str:
    terms = {"expected_version": version, "shipping_address": shop.ADDRESS, "payment_method": shop.PAYS}
    return str(shop.taken(await customer.post(f"{CART}/checkout", terms))["order_id"])


async def test_a_customer_orders_again_what_is_still_sold_and_is_told_what_is_not(market: shop.Shop) -> None:
    customer, another, admin = await market.customer(), await market.customer(), await market.admin()
    tea, pot = await market.product(cents=350), await market.product(cents=1999)
    for product, quantity in ((tea, 2), (pot, 1)):
        cart = shop.taken(await customer.post(f"{CART}/items", {"sku": product.sku, "quantity": quantity}))
    first = await _check_out(customer, cart["version"])
    shop.taken(await admin.http.delete(f"/api/v1/products/{pot.id}"))

    async def is_gone() -> bool:
        return (await another.post(f"{CART}/items", {"sku": pot.sku, "quantity": 1})).status_code == 400

    async def is_empty() -> bool:
        return _held(shop.taken(await customer.http.get(CART))) == {}

    await eventually(is_gone)
    await eventually(is_empty)
    again = f"/api/v1/orders/{first}/reorder"
    answer = shop.taken(await customer.post(again, {}))
    assert (_held(answer["cart"]), shop.cents(answer["cart"]["total"])) == ({tea.sku: 2}, 700)
    assert [(left["sku"], left["quantity"], left["reason"]) for left in answer["left_out"]] == [
        (pot.sku, "1", "NOT_SOLD")
    ]
    repeated = shop.taken(await customer.post(again, {"expected_version": answer["cart"]["version"]}))
    assert (repeated["cart"]["version"], _held(repeated["cart"])) == (answer["cart"]["version"], {tea.sku: 2})
    assert (await another.post(again, {})).status_code == (await admin.post(again, {})).status_code == 404

    second = await _check_out(customer, answer["cart"]["version"])
    settled = await customer.settled(second)
    assert (_held(settled), settled["status"]) == ({tea.sku: 2}, shop.PAID)
    assert second != first
