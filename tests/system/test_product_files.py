"""A vendor sends a file of products through the edge, finds them in the shop, and gets the same file back."""

import json
import uuid
from typing import Any

import httpx

from tests.support import shop
from tests.support.polling import eventually

CSV = {"content-type": "text/csv"}


def report(answer: httpx.Response) -> tuple[shop.Json, list[shop.Json]]:
    """The summary and the rows of an import's answer: one JSON object a line."""
    assert answer.status_code == 200, answer.text
    first, *others = [json.loads(line) for line in answer.text.splitlines()]
    return first["summary"], [row for message in others for row in message["rows"]]


async def imported(person: shop.Person, file: str, **headers: str) -> tuple[shop.Json, list[shop.Json]]:
    return report(await person.http.post("/api/v1/products/import", content=file.encode(), headers=CSV | headers))


async def test_a_file_goes_in_through_the_edge_is_sold_and_comes_out_the_same(market: shop.Shop) -> None:
    vendor, rival, stranger = await market.vendor(), await market.vendor(), await market.stranger()
    category, word = await market.category("system-files"), f"w{uuid.uuid4().hex[:12]}"
    skus = [shop.new_sku() for _ in range(3)]
    header = "sku,product,title,category,price,currency,variant_title\r\n"
    shared = f'"{word}, ""tea""",{category}'
    good = f"{header}{skus[0]},a,{shared},12.50,USD,Small\r\n{skus[1]},a,{shared},20,USD,Large\r\n"

    summary, rows = await imported(vendor, f"{good}{skus[2]},,Other,no-such-shelf,1,USD,\r\n")
    assert (summary["state"], summary["created"], summary["refused"]) == ("REFUSED", 2, 1)
    assert [(row["line"], row["problems"][0]["reason"]) for row in rows if row["problems"]] == [(4, "CATEGORY_UNKNOWN")]
    key = {"idempotency-key": shop.new_key()}
    first = await imported(vendor, good, **key)
    assert (first[0]["state"], first[0]["created"]) == ("APPLIED", 2)
    assert await imported(vendor, good, **key) == first

    async def found() -> Any:
        answer = shop.taken(await stranger.http.get("/api/v1/products/search", params={"text": word}))
        return [hit["product_id"] for hit in answer["results"]] == [first[1][0]["product_id"]]

    await eventually(found)
    file = await vendor.http.get("/api/v1/products/export")
    assert (file.headers["content-type"], file.headers["x-products"]) == ("text/csv; charset=utf-8", "1")
    summary, _ = await imported(vendor, file.text)
    assert (summary["rows"], summary["unchanged"]) == (2, 2)
    summary, rows = await imported(rival, file.text)
    assert {problem["reason"] for row in rows for problem in row["problems"]} == {"SKU_TAKEN", "VENDOR_FIXED"}
    as_json = await vendor.http.get("/api/v1/products/export", params={"format": "JSON_LINES"})
    assert [json.loads(line)["sku"] for line in as_json.text.splitlines()] == skus[:2]
