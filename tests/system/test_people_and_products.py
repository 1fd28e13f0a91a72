"""People and products, as callers of the edge see them: sign-ins that last and end, products that change and go."""

import httpx

from tests.support import shop
from tests.support.polling import eventually


def refused(answer: httpx.Response) -> tuple[int, str]:
    [info] = [detail for detail in answer.json()["details"] if detail["@type"].endswith("ErrorInfo")]
    return answer.status_code, str(info["reason"])


async def test_a_sign_in_is_renewed_and_ends_with_the_logout(market: shop.Shop) -> None:
    customer, password = await market.registered()
    first = shop.taken(await customer.post("/api/v1/users/login", {"email": customer.email, "password": password}))
    second = shop.taken(await customer.post("/api/v1/users/refresh", {"refresh_token": first["refresh_token"]}))
    assert second["user"] == first["user"]
    bearer = {"authorization": f"Bearer {second['access_token']}"}
    me = shop.taken(await customer.http.put("/api/v1/users/me", json={"display_name": "Anna"}, headers=bearer))
    assert (me["id"], me["display_name"]) == (first["user"]["id"], "Anna")
    shop.taken(await customer.post("/api/v1/users/logout", {"refresh_token": second["refresh_token"]}))
    again = await customer.post("/api/v1/users/refresh", {"refresh_token": second["refresh_token"]})
    assert refused(again) == (401, "REFRESH_TOKEN_INVALID")


async def test_a_product_is_seen_changed_and_gone_by_everybody(market: shop.Shop) -> None:
    vendor, rival, stranger = await market.vendor(), await market.vendor(), await market.stranger()
    category = await market.category("system-changes")
    body = shop.product_body(shop.new_sku(), category=category) | {"attributes": {"origin": "Assam"}}
    made = shop.taken(await vendor.post("/api/v1/products", body))
    path = f"/api/v1/products/{made['id']}"
    seen = await stranger.http.get(path)
    tag = seen.headers["etag"]
    assert shop.taken(seen)["attributes"] == {"origin": "Assam"}
    assert (await stranger.http.get(path, headers={"if-none-match": tag})).status_code == 304

    edit = body | {"version": made["version"], "title": "Another title"}
    assert refused(await rival.http.put(path, json=edit)) == (404, "PRODUCT_NOT_FOUND")
    assert shop.taken(await vendor.http.put(path, json=edit))["version"] == "2"
    assert refused(await vendor.http.put(path, json=edit | {"title": "Late"})) == (409, "VERSION_CHANGED")

    async def everybody_sees_it() -> bool:
        answer = await stranger.http.get(path, headers={"if-none-match": tag})
        return answer.status_code == 200 and answer.json()["title"] == "Another title"

    await eventually(everybody_sees_it)
    listed = f"/api/v1/categories/{category}/products"
    price = {"min_price.units": "1", "min_price.currency_code": "USD", "title_prefix": "another"}
    found = shop.taken(await stranger.http.get(listed, params=price))
    assert made["id"] in [product["id"] for product in found["products"]]
    batch = shop.taken(await stranger.http.get("/api/v1/products/batch", params={"ids": made["id"]}))
    assert [product["version"] for product in batch["products"]] == ["2"]

    shop.taken(await vendor.http.delete(path, params={"version": "2"}))

    async def gone() -> bool:
        return (await stranger.http.get(path)).status_code == 404

    await eventually(gone)
    assert shop.taken(await stranger.http.get(listed, params=price))["products"] == []


async def test_the_window_shows_what_the_shop_put_there(market: shop.Shop) -> None:
    admin, product = await market.admin(), await market.product()
    path = f"/api/v1/products/{product.id}/featured"
    shop.taken(await admin.http.put(path, json={"featured": True}))
    shown = shop.taken(await admin.http.get("/api/v1/products/featured", params={"page_size": "100"}))
    assert product.id in [each["id"] for each in shown["products"]]
    shop.taken(await admin.http.put(path, json={"featured": False}))
