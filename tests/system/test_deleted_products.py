"""A product that is deleted is in no list any more, and old orders can show it; a vendor's products have a page of their own."""

from tests.support import shop


async def test_a_vendors_page_has_their_products_and_a_deleted_one_is_found_only_by_who_asks_for_it(
    market: shop.Shop,
) -> None:
    vendor, customer = await market.vendor(), await market.customer()
    category = await market.category()
    kept, gone = [
        shop.taken(await vendor.post("/api/v1/products", shop.product_body(shop.new_sku(), category=category)))["id"]
        for _ in range(2)
    ]
    shop.taken(await vendor.http.delete(f"/api/v1/products/{gone}"))

    page = shop.taken(await customer.http.get(f"/api/v1/vendors/{vendor.user_id}/products"))
    assert [product["id"] for product in page["products"]] == [kept]
    assert (await customer.http.get(f"/api/v1/products/{gone}")).status_code == 404

    ids = {"ids": [kept, gone]}
    batch = shop.taken(await customer.http.get("/api/v1/products/batch", params=ids))["products"]
    assert [product["id"] for product in batch] == [kept]
    of_order = ids | {"include_deleted": "true"}
    batch = shop.taken(await customer.http.get("/api/v1/products/batch", params=of_order))["products"]
    assert [(product["id"], "delete_time" in product) for product in batch] == [(kept, False), (gone, True)]
