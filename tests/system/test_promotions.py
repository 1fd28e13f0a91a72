"""Promotions as callers of the edge see them: a quote explains what is taken off which line, and by what."""

from typing import Any

from tests.support import shop

PROMOTIONS, QUOTE = "/api/v1/promotions", "/api/v1/promotions/quote"


async def _product_in(market: shop.Shop, category: str, parent: str = "") -> shop.Product:
    admin, sku = await market.admin(), shop.new_sku()
    shop.taken(await admin.http.put(f"/api/v1/categories/{category}", json={"title": category, "parent": parent}))
    made = shop.taken(await admin.post("/api/v1/products", shop.product_body(sku, 1000, category=category)))
    return shop.Product(made["id"], sku, 1000)


def _quoted(*products: shop.Product, codes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"items": [{"sku": product.sku, "quantity": 1} for product in products], "codes": list(codes)}


async def test_a_quote_takes_off_what_a_category_and_those_below_it_are_promised(market: shop.Shop) -> None:
    admin, stranger = await market.admin(), await market.stranger()
    root = f"sale-{shop.new_sku().lower()}"
    above = await _product_in(market, root)
    below = await _product_in(market, f"{root[:-1]}x", parent=root)
    beside = await market.product(cents=1000)
    terms = {
        "title": "Ten per cent",
        "percentage": {"basis_points": 1000},
        "automatic": True,
        "scope": {"categories": [root]},
    }
    made = shop.taken(await admin.post(PROMOTIONS, {"terms": terms}, key=shop.new_key()))
    quote = shop.taken(await stranger.post(QUOTE, _quoted(above, below, beside)))
    assert {line["sku"]: shop.cents(line["discount"]) for line in quote["lines"]} == {
        above.sku: 100,
        below.sku: 100,
        beside.sku: 0,
    }
    explained = {each["title"] for line in quote["lines"] for each in line["discounts"]}
    assert explained == {"Ten per cent"}

    ended = await admin.http.put(f"{PROMOTIONS}/{made['id']}/end", json={})
    shop.taken(ended)
    quote = shop.taken(await stranger.post(QUOTE, _quoted(above)))
    assert shop.cents(quote["lines"][0]["discount"]) == 0


async def test_a_code_that_does_not_exist_is_said_and_takes_nothing_off(market: shop.Shop) -> None:
    product, stranger = await market.product(cents=1000), await market.stranger()
    quote = shop.taken(await stranger.post(QUOTE, _quoted(product, codes=("NO-SUCH-CODE",))))
    [code] = quote["codes"]
    assert (code["code"], code["refusal"]) == ("NO-SUCH-CODE", "CODE_UNKNOWN")
    assert shop.cents(quote["lines"][0]["total"]) == 1000
