"""Search as callers of the edge see it: what changes is found, and what is found is narrowed down."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping

from tests.support import shop
from tests.support.polling import eventually

SEARCH = "/api/v1/products/search"


async def test_a_product_is_found_with_its_new_price_and_gone_when_it_is_deleted(market: shop.Shop) -> None:
    vendor, stranger = await market.vendor(), await market.stranger()
    word = shop.new_sku().lower().replace("-", "")
    category = await market.category("system-changes")
    body = shop.product_body(shop.new_sku(), category=category) | {
        "title": f"Chair {word}",
        "attributes": {"wood": "oak"},
    }
    made = shop.taken(await vendor.post("/api/v1/products", body))

    async def found() -> shop.Json:
        return shop.taken(await stranger.http.get(SEARCH, params={"text": f"chairs {word}", "with_facets": "true"}))

    async def is_found() -> bool:
        return [each["product_id"] for each in (await found())["results"]] == [made["id"]]

    await eventually(is_found)
    [wood] = [facet for facet in (await found())["facets"] if facet["name"] == "attributes.wood"]
    assert [(value["value"], value["count"]) for value in wood["values"]] == [("oak", "1")]
    filtered = {"text": word, "attributes": "wood:pine"}
    assert shop.taken(await stranger.http.get(SEARCH, params=filtered))["total"] == "0"

    body["variants"][0]["price"]["units"] = 777
    changed = await vendor.http.put(f"/api/v1/products/{made['id']}", json=body | {"version": made["version"]})
    version = shop.taken(changed)["version"]

    async def has_the_new_price() -> bool:
        [result] = (await found())["results"]
        return (result["price_from"]["units"], result["version"]) == ("777", version)

    await eventually(has_the_new_price)
    suggested = shop.taken(await stranger.http.get("/api/v1/products/suggest", params={"text": f"chair {word[:-2]}"}))
    assert [each["product_id"] for each in suggested["suggestions"]] == [made["id"]]
    shop.taken(await vendor.http.delete(f"/api/v1/products/{made['id']}", params={"version": version}))

    async def is_gone() -> bool:
        return not (await found())["results"]

    await eventually(is_gone)


async def test_stock_that_sells_out_is_no_longer_in_stock(market: shop.Shop) -> None:
    product, stranger, admin = await market.product(stock=5), await market.stranger(), await market.admin()

    async def in_stock() -> bool:
        params = {"text": product.sku, "in_stock": "true"}
        results = shop.taken(await stranger.http.get(SEARCH, params=params))["results"]
        return product.id in [each["product_id"] for each in results]

    async def sold_out() -> bool:
        return not await in_stock()

    await eventually(in_stock)
    for warehouse in ("east", "west"):
        stock = {"sku": product.sku, "warehouse": warehouse, "on_hand": 0}
        shop.taken(await admin.http.put(f"/api/v1/products/{product.id}/stock", json=stock))
    await eventually(sold_out)


async def test_an_administrator_keeps_synonyms_and_builds_the_index_anew(market: shop.Shop) -> None:
    admin, product = await market.admin(), await market.product()
    name = shop.new_sku().lower()
    path = f"/api/v1/search/synonyms/{name}"
    kept = shop.taken(await admin.http.put(path, json={"terms": [name, product.sku]}))
    assert kept["terms"] == [name.replace("-", " "), product.sku.lower().replace("-", " ")]

    async def is_found() -> bool:
        results = shop.taken(await admin.http.get(SEARCH, params={"text": name}))["results"]
        return [each["product_id"] for each in results] == [product.id]

    await eventually(is_found)
    shop.taken(await admin.http.delete(path))
    before = int(shop.taken(await admin.http.get("/api/v1/search/index"))["version"])
    shop.taken(await admin.post("/api/v1/search/index/rebuild", {}))

    async def is_built() -> bool:
        now = shop.taken(await admin.http.get("/api/v1/search/index"))
        return int(now["version"]) > before and now["state"] == "READY"

    await eventually(is_built)


async def test_the_index_is_built_anew_by_the_program_that_operators_run(environment: Mapping[str, str]) -> None:
    run = [sys.executable, "-m", "scripts.operate.reindex"]
    done = await asyncio.to_thread(
        subprocess.run, run, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("reindex: version ")
