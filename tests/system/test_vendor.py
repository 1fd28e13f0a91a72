"""The vendor of the sample shop, signed in as anybody does: their own products are theirs to change, and no others."""

from collections.abc import Mapping

import httpx

from scripts.sample_data import shop as sample
from tests.support import shop

OWN, NOT_THEIRS = "LANTERN-BRASS-S", "TEA-CUP"


async def _signed_in(market: shop.Shop, environment: Mapping[str, str]) -> tuple[httpx.AsyncClient, shop.Json]:
    stranger = await market.stranger()
    credentials = {"email": environment["VENDOR_EMAIL"], "password": environment["VENDOR_PASSWORD"]}
    session = shop.taken(await stranger.post("/api/v1/users/login", credentials))
    stranger.http.headers["Authorization"] = f"Bearer {session['access_token']}"
    return stranger.http, session["user"]


async def _product_of(http: httpx.AsyncClient, sku: str, category: str) -> shop.Json:
    token = ""
    while True:
        page = {"category": category, "page_size": "100", **({"page_token": token} if token else {})}
        found = shop.taken(await http.get("/api/v1/products", params=page))
        for product in found["products"]:
            if sku in [variant["sku"] for variant in product["variants"]]:
                return dict(product)
        token = found["next_page_token"]
        assert token, f"nobody sells {sku}"


def _edit(product: shop.Json, **changes: object) -> shop.Json:
    kept = ("title", "description", "category", "variants", "attributes", "images", "version")
    return {name: product[name] for name in kept if name in product} | changes


def _reason(answer: httpx.Response) -> tuple[int, str]:
    [info] = [detail for detail in answer.json()["details"] if detail["@type"].endswith("ErrorInfo")]
    return answer.status_code, str(info["reason"])


async def test_the_sample_shops_vendor_may_sell(market: shop.Shop, environment: Mapping[str, str]) -> None:
    http, user = await _signed_in(market, environment)
    assert (user["roles"], user["display_name"]) == (["CUSTOMER", "VENDOR"], sample.vendor().display_name)
    for product in sample.vendor().products:
        made = await _product_of(http, product.variants[0].sku, product.category)
        assert made["vendor_id"] == user["id"]


async def test_a_vendor_changes_a_product_of_their_own(market: shop.Shop, environment: Mapping[str, str]) -> None:
    http, _ = await _signed_in(market, environment)
    own = await _product_of(http, OWN, "tableware")
    path = f"/api/v1/products/{own['id']}"

    changed = shop.taken(await http.put(path, json=_edit(own, description="Pierced and polished by hand.")))
    assert changed["description"] == "Pierced and polished by hand."
    stock = {"sku": OWN, "warehouse": "west", "on_hand": 41}
    assert shop.taken(await http.put(f"{path}/stock", json=stock))["on_hand"] == "41"

    shop.taken(await http.put(path, json=_edit(changed, description=own["description"])))
    shop.taken(await http.put(f"{path}/stock", json=stock | {"on_hand": 40}))


async def test_a_vendor_does_not_change_what_is_not_theirs(market: shop.Shop, environment: Mapping[str, str]) -> None:
    http, _ = await _signed_in(market, environment)
    other = await _product_of(http, NOT_THEIRS, "tableware")
    path = f"/api/v1/products/{other['id']}"
    stock = {"sku": NOT_THEIRS, "warehouse": "west", "on_hand": 0}

    assert _reason(await http.put(path, json=_edit(other, title="Mine now"))) == (404, "PRODUCT_NOT_FOUND")
    assert _reason(await http.put(f"{path}/stock", json=stock)) == (404, "PRODUCT_NOT_FOUND")
    refused = await http.delete(path, params={"version": other["version"]})
    assert _reason(refused) == (404, "PRODUCT_NOT_FOUND")

    assert await _product_of(http, NOT_THEIRS, "tableware") == other
