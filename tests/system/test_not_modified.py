"""Lists that a caller has already: whoever sends their `ETag` again gets 304 and no body, until something in them changes."""

import httpx
import pytest

from tests.support import shop
from tests.support.polling import eventually

SEARCH = "/api/v1/products/search"
LISTS = (
    "/api/v1/products?page_size=3",
    "/api/v1/products/featured",
    "/api/v1/categories",
    "/api/v1/categories/coffee-and-tea/products",
    f"{SEARCH}?text=coffee&with_facets=true&page_size=5",
    f"{SEARCH}?text=coffee&sort=NEWEST",
    "/api/v1/products/suggest?text=cof",
)


async def again(person: shop.Person, path: str, tag: str) -> httpx.Response:
    return await person.http.get(path, headers={"if-none-match": tag})


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_that_did_not_change_is_not_sent_again(market: shop.Shop, path: str) -> None:
    stranger = await market.stranger()

    async def is_not_sent_again() -> bool:
        """Another test may change the list in between: then the next time."""
        seen = await stranger.http.get(path)
        assert seen.status_code == 200, seen.text
        same = await again(stranger, path, seen.headers["etag"])
        return (same.status_code, same.headers["etag"], same.content) == (304, seen.headers["etag"], b"")

    await eventually(is_not_sent_again)


async def test_a_search_is_answered_anew_when_what_it_finds_has_changed(market: shop.Shop) -> None:
    tea, stranger, admin = await market.product(), await market.stranger(), await market.admin()
    path = f"{SEARCH}?text={tea.sku}"

    async def is_found() -> bool:
        return len(shop.taken(await stranger.http.get(path))["results"]) == 1

    await eventually(is_found)
    tag = (await stranger.http.get(path)).headers["etag"]
    body = shop.product_body(tea.sku, 999) | {"version": "1"}
    shop.taken(await admin.http.put(f"/api/v1/products/{tea.id}", json=body))

    async def is_another_answer() -> bool:
        now = await again(stranger, path, tag)
        return now.status_code == 200 and shop.cents(now.json()["results"][0]["price_from"]) == 999

    await eventually(is_another_answer)
