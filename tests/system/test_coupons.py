"""Orders with coupons through the edge: redeemed with the stock, paid at the discounted price, used as often as allowed."""

import asyncio

from tests.support import shop
from tests.support.audit import Auditor


async def test_a_quoted_discount_is_what_the_order_redeems_and_the_customer_pays(
    market: shop.Shop, auditor: Auditor
) -> None:
    pot, tea, customer = await market.product(cents=1999), await market.product(cents=501), await market.customer()
    promotion_id, code = await market.promotion(uses=1)
    basket = shop.basket((pot, 1), (tea, 1)) | {"coupon_codes": [code.lower()]}
    asked = {name: basket[name] for name in ("items", "shipping_address", "coupon_codes")}
    quote = shop.taken(await customer.post("/api/v1/orders/quote", asked))
    assert quote["coupons"] == [
        {"code": code.lower(), "applied": True, "refusal": "REFUSAL_UNSPECIFIED", "message": ""}
    ]
    assert [(one["title"], one["code"], shop.cents(one["amount"])) for one in quote["discounts"]] == [
        ("Ten per cent", code, 250)
    ]
    order = await customer.place(basket | {"expected_total": quote["totals"]["total"]})
    assert (order["discounts"], shop.cents(order["total"])) == (quote["discounts"], 2250)

    settled = await customer.settled(order["id"])

    assert settled["status"] == shop.PAID
    steps = [event["event"] for event in (await customer.status(order["id"]))["timeline"]]
    assert set(steps[1:3]) == {"StockReserved", "CouponsRedeemed"}, "both in the saga's first step"
    assert (await customer.payment(order["id"]))["captured_amount"] == order["total"]
    assert await market.uses_of(promotion_id) == 1
    await auditor.audit([order["id"]])


async def test_a_cancelled_order_gives_its_coupon_back_for_another(market: shop.Shop, auditor: Auditor) -> None:
    product, customer = await market.product(), await market.customer()
    promotion_id, code = await market.promotion(uses=1)
    basket = shop.basket((product, 1)) | {"coupon_codes": [code]}
    first = await customer.place(basket)
    await customer.settled(first["id"])
    refused = await customer.post("/api/v1/orders", basket)
    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "COUPON_REFUSED")

    await customer.cancel(first["id"])
    assert (await customer.settled(first["id"]))["status"] == "CANCELLED"

    assert await market.uses_of(promotion_id) == 0
    second = await customer.place(basket)
    assert (await customer.settled(second["id"]))["status"] == shop.PAID
    await auditor.audit([first["id"], second["id"]])


async def test_racing_orders_use_a_coupon_exactly_as_often_as_it_may_be_used(
    market: shop.Shop, auditor: Auditor
) -> None:
    product, customer = await market.product(stock=200, cents=1000), await market.customer()
    promotion_id, code = await market.promotion(uses=10)
    basket = shop.basket((product, 1)) | {"coupon_codes": [code]}
    answers = await asyncio.gather(*(customer.post("/api/v1/orders", basket, key=shop.new_key()) for _ in range(50)))
    placed = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    assert {answer.json()["details"][0]["reason"] for answer in answers if answer.status_code != 200} <= {
        "COUPON_REFUSED"
    }

    settled = [await customer.settled(order_id) for order_id in placed]

    assert len([order for order in settled if order["status"] == shop.PAID]) == 10
    assert {order["cancel_reason"] for order in settled if order["status"] != shop.PAID} <= {"COUPON_REFUSED"}
    assert await market.uses_of(promotion_id) == 10
    assert (await customer.stock(product))["reserved"] == 0
    await auditor.audit(placed)


async def test_an_order_that_costs_nothing_is_confirmed_without_a_payment(market: shop.Shop, auditor: Auditor) -> None:
    product, customer = await market.product(), await market.customer()
    _, code = await market.promotion(percentage={"basis_points": 10_000})
    order = await customer.place(shop.basket((product, 2), card="") | {"coupon_codes": [code]})
    settled = await customer.settled(order["id"])
    assert (settled["status"], shop.cents(settled["total"]), settled["payment_id"]) == (shop.PAID, 0, "")
    await auditor.audit([order["id"]])
    await customer.cancel(order["id"])
    assert (await customer.settled(order["id"]))["status"] == "CANCELLED"
    await auditor.audit([order["id"]])


async def test_a_cart_is_checked_out_with_a_coupon(market: shop.Shop, auditor: Auditor) -> None:
    product, customer = await market.product(cents=1000), await market.customer()
    promotion_id, code = await market.promotion(uses=1)
    cart = shop.taken(await customer.post("/api/v1/cart/items", {"sku": product.sku, "quantity": 2}))
    terms = {
        "expected_version": cart["version"],
        "shipping_address": shop.ADDRESS,
        "payment_method": shop.PAYS,
    }
    wrong = await customer.post("/api/v1/cart/checkout", terms | {"coupon_codes": ["NO-SUCH-CODE"]})
    assert (wrong.status_code, wrong.json()["details"][0]["reason"]) == (400, "COUPON_REFUSED")
    made = shop.taken(await customer.post("/api/v1/cart/checkout", terms | {"coupon_codes": [code]}))
    assert shop.cents(made["total"]) == 1800
    assert (await customer.settled(made["order_id"]))["status"] == shop.PAID
    assert await market.uses_of(promotion_id) == 1
    await auditor.audit([made["order_id"]])


async def test_an_automatic_promotion_applies_to_orders_without_codes(market: shop.Shop, auditor: Auditor) -> None:
    admin, customer, category = await market.admin(), await market.customer(), f"sale-{shop.new_sku().lower()}"
    shop.taken(await admin.http.put(f"/api/v1/categories/{category}", json={"title": "Sale"}))
    body = shop.product_body(sku := shop.new_sku(), 1000, category=category)
    product = shop.Product(shop.taken(await admin.post("/api/v1/products", body))["id"], sku, 1000)
    await market.put_stock(product, 5)
    terms = {
        "title": "Spring",
        "percentage": {"basis_points": 2000},
        "automatic": True,
        "scope": {"categories": [category]},
    }
    made = shop.taken(await admin.post("/api/v1/promotions", {"terms": terms}, key=shop.new_key()))
    try:
        # It is remembered for up to two seconds that nothing is automatic.
        await asyncio.sleep(2.1)
        order = await customer.place(shop.basket((product, 1)))
        assert (shop.cents(order["total"]), order["discounts"][0]["title"]) == (800, "Spring")
        assert (await customer.settled(order["id"]))["status"] == shop.PAID
        await auditor.audit([order["id"]])
    finally:
        shop.taken(await admin.http.put(f"/api/v1/promotions/{made['id']}/end", json={}))
