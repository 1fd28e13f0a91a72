"""Coupon codes kept in a cart, from a guest's to a confirmed order, as callers of the edge see it."""

from tests.support import audit, shop
from tests.support.polling import eventually

CART, GUEST = "/api/v1/cart", "/api/v1/cart/guest"


def _verdicts(cart: shop.Json) -> dict[str, str]:
    return {one["code"]: "applies" if one["applied"] else one["refusal"] for one in cart["coupons"]}


async def test_a_guests_code_is_ordered_with_after_signing_in_and_leaves_the_cart_when_it_was_used(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    tea, pot = await market.product(cents=350), await market.product(cents=1999)
    promotion_id, code = await market.promotion(uses=1)
    stranger, customer = await market.stranger(), await market.customer()
    guest = shop.taken(await stranger.post(GUEST, {}))["cart_id"]
    for product, quantity in ((tea, 2), (pot, 1)):
        line = {"cart_id": guest, "sku": product.sku, "quantity": quantity}
        shop.taken(await stranger.post(f"{GUEST}/items", line))

    kept = shop.taken(await stranger.http.put(f"{GUEST}/coupons/{code.lower()}", json={"cart_id": guest}))
    assert _verdicts(kept) == {code: "applies"}
    assert (shop.cents(kept["total"]), shop.cents(kept["totals"]["total"])) == (2699, 2429)
    assert sum(shop.cents(line["discount"]) for line in kept["lines"]) == 270
    typo = shop.taken(await stranger.http.put(f"{GUEST}/coupons/TYPO", json={"cart_id": guest}))
    assert _verdicts(typo) == {code: "applies", "TYPO": "CODE_UNKNOWN"}

    merged = shop.taken(await customer.post(f"{CART}/merge", {"cart_id": guest}))
    assert _verdicts(merged) == {code: "applies", "TYPO": "CODE_UNKNOWN"}
    terms = {"shipping_address": shop.ADDRESS, "payment_method": shop.PAYS}
    refused = await customer.post(f"{CART}/checkout", terms | {"expected_version": merged["version"]})
    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "COUPON_REFUSED")
    assert '"coupons[1]"' in refused.text

    left = shop.taken(await customer.http.delete(f"{CART}/coupons/typo"))
    country = {"country": shop.ADDRESS["country"]}
    shown = shop.taken(await customer.http.get(CART, params=country))
    assert _verdicts(left) == _verdicts(shown) == {code: "applies"}
    terms |= {"expected_version": left["version"], "expected_total": shown["totals"]["total"]}
    order_id = shop.taken(await customer.post(f"{CART}/checkout", terms))["order_id"]
    settled = await customer.settled(order_id)
    assert (settled["status"], settled["totals"]) == (shop.PAID, shown["totals"])
    assert [one["code"] for one in settled["discounts"]] == [code]
    assert await market.uses_of(promotion_id) == 1

    async def is_empty() -> bool:
        cart = shop.taken(await customer.http.get(CART))
        return (cart["lines"], cart["coupons"]) == ([], [])

    await eventually(is_empty)
    await auditor.audit([order_id])
