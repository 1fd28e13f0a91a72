"""What an order costs, through the edge: quoted by line, ordered at that price, paid, and the books agree."""

import pytest

from tests.contract.world import World
from tests.support import shop
from tests.support.audit import Auditor

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The shop of the tests taxes 7.25 % there, and no food.
CALIFORNIA = shop.ADDRESS | {"region": "CA"}


async def _product(world: World, cents: int, tax_class: str = "") -> shop.Product:
    admin, sku = world.people["admin"], shop.new_sku()
    body = shop.product_body(sku, cents, category=world.category) | {"tax_class": tax_class}
    made = shop.taken(await admin.post("/api/v1/products", body))
    product = shop.Product(made["id"], sku, cents)
    stock = {"warehouse": "east", "on_hand": 10}
    shop.taken(await admin.http.put(f"/api/v1/products/{product.id}/stock", json=stock))
    return product


async def test_a_quote_says_what_the_order_will_cost_by_line_and_is_what_is_paid(
    world: World, auditor: Auditor
) -> None:
    pot, bread, customer = await _product(world, 1999), await _product(world, 350, "food"), world.people["customer"]
    basket = shop.basket((pot, 2), (bread, 1)) | {"shipping_address": CALIFORNIA}
    asked = {name: basket[name] for name in ("items", "shipping_address")}
    quote = shop.taken(await customer.post("/api/v1/orders/quote", asked))
    lines = {line["sku"]: line for line in quote["lines"]}
    # 7.25 % of 39.98 is 2.89855.
    assert [(lines[item.sku]["tax_rate"], shop.cents(lines[item.sku]["tax"])) for item in (pot, bread)] == [
        ("7.25", 290),
        ("0", 0),
    ]
    assert [shop.cents(lines[item.sku]["payable"]) for item in (pot, bread)] == [4288, 350]
    totals = quote["totals"]
    names = ("items", "discounts", "shipping", "taxes", "total")
    assert [shop.cents(totals[name]) for name in names] == [4348, 0, 0, 290, 4638]
    order = await customer.place(basket | {"expected_total": totals["total"]})
    assert (order["totals"], order["lines"], order["total"]) == (totals, quote["lines"], totals["total"])
    settled = await customer.settled(order["id"])
    assert (settled["status"], settled["totals"]) == (shop.PAID, totals)
    assert (await customer.payment(order["id"]))["captured_amount"] == totals["total"]
    await auditor.audit([order["id"]])


async def test_an_order_to_a_place_without_taxes_costs_its_items(world: World) -> None:
    product = world.products["vendors"]
    asked = {"items": [{"sku": product.sku, "quantity": 2}], "shipping_address": shop.ADDRESS}
    totals = shop.taken(await world.people["customer"].post("/api/v1/orders/quote", asked))["totals"]
    assert (shop.cents(totals["taxes"]), shop.cents(totals["total"])) == (0, 2 * product.cents)
