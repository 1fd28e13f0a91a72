"""The pages of the shop as callers of the edge see them."""

import functools
from typing import Any

import httpx

from tests.support import shipments, shop
from tests.support.polling import eventually

PAGES = "/api/v1/storefront"
KEPT_BY_ANYBODY = "public, max-age=2, s-maxage=5"


async def whole(person: shop.Person, path: str) -> httpx.Response:
    """The page once it has all of its parts: a busy machine may miss the deadline of one."""
    found: list[httpx.Response] = []

    async def is_whole() -> bool:
        found.append(await person.http.get(f"{PAGES}/{path}"))
        return not shop.taken(found[-1])["missing"]

    await eventually(is_whole)
    return found[-1]


async def test_a_product_page_shows_stock_price_breadcrumb_and_what_is_related(market: shop.Shop) -> None:
    admin, stranger = await market.admin(), await market.stranger()
    above, below = shop.new_sku().lower(), shop.new_sku().lower()
    shop.taken(await admin.http.put(f"/api/v1/categories/{above}", json={"title": "Above"}))
    shop.taken(await admin.http.put(f"/api/v1/categories/{below}", json={"title": "Below", "parent": above}))
    ids, skus = [], [shop.new_sku() for _ in range(3)]
    for sku, count in zip(skus, (50, 3, 0), strict=True):
        made = shop.taken(await admin.post("/api/v1/products", shop.product_body(sku, category=below)))
        ids.append(made["id"])
        await market.put_stock(shop.Product(made["id"], sku, 1250), count)

    async def shows(product_id: str, level: str, related: set[str]) -> bool:
        page = shop.taken(await whole(stranger, f"products/{product_id}"))
        levels = [stock["level"] for stock in page["stock"]]
        return (levels, {one["product_id"] for one in page["related"]}) == ([level], related)

    # What is out of stock is related to nothing, and search hears of all this by events.
    await eventually(functools.partial(shows, ids[0], "AVAILABLE", {ids[1]}))
    await eventually(functools.partial(shows, ids[1], "LOW", {ids[0]}))
    await eventually(functools.partial(shows, ids[2], "OUT", {ids[0], ids[1]}))

    answer = await whole(stranger, f"products/{ids[1]}")
    page = shop.taken(answer)
    assert page["product"] == shop.taken(await stranger.http.get(f"/api/v1/products/{ids[1]}"))
    assert page["stock"] == [{"sku": skus[1], "level": "LOW", "left": "3"}]
    assert (page["price"]["sku"], shop.cents(page["price"]["total"])) == (skus[1], 1250)
    assert [category["slug"] for category in page["breadcrumb"]] == [above, below]
    assert answer.headers["cache-control"] == KEPT_BY_ANYBODY


async def test_pages_show_what_is_bought_together_and_what_trends(market: shop.Shop) -> None:
    tea, cup, stranger = await market.product(stock=50), await market.product(stock=50), await market.stranger()
    alone = await market.product()
    for basket in [(tea, cup)] * 3 + [(alone,)] * 4:
        customer = await market.customer()
        order = await customer.place(shop.basket(*((product, 1) for product in basket)))
        await customer.settled(order["id"])

    async def is_shown() -> bool:
        page = shop.taken(await whole(stranger, f"products/{tea.id}"))
        home = shop.taken(await whole(stranger, "home"))
        return [one["product_id"] for one in page["bought_together"]] == [cup.id] and bool(home["trending"])

    await eventually(is_shown, within_s=20)
    assert not shop.taken(await whole(stranger, f"products/{alone.id}"))["bought_together"]


async def test_a_product_page_explains_the_automatic_discount_of_the_selected_variant(market: shop.Shop) -> None:
    admin, stranger, skus = await market.admin(), await market.stranger(), [shop.new_sku() for _ in range(2)]
    await market.category()
    variants = [shop.product_body(sku)["variants"][0] for sku in skus]
    made = shop.taken(await admin.post("/api/v1/products", shop.product_body(skus[0]) | {"variants": variants}))
    terms = {"title": "A tenth off", "percentage": {"basis_points": 1000}, "automatic": True}
    scoped = terms | {"scope": {"product_ids": [made["id"]]}}
    promotion = shop.taken(await admin.post("/api/v1/promotions", {"terms": scoped}))
    try:

        async def is_cheaper() -> bool:
            page = shop.taken(await whole(stranger, f"products/{made['id']}?sku={skus[1]}"))
            price = page["price"]
            said = [discount["title"] for discount in price["discounts"]]
            return (price["sku"], shop.cents(price["total"]), said) == (skus[1], 1125, ["A tenth off"])

        await eventually(is_cheaper)
        # The link to a variant that is no longer sold leads to the first.
        page = shop.taken(await whole(stranger, f"products/{made['id']}?sku=REMOVED"))
        assert page["price"]["sku"] == skus[0]
    finally:
        shop.taken(await admin.http.put(f"/api/v1/promotions/{promotion['id']}/end", json={}))


async def test_the_home_page_shows_what_is_featured_and_popular_and_the_same_to_everybody(market: shop.Shop) -> None:
    admin, stranger, tea = await market.admin(), await market.stranger(), await market.product()
    shop.taken(await admin.http.put(f"/api/v1/products/{tea.id}/featured", json={"featured": True}))
    try:

        async def is_shown() -> bool:
            page = shop.taken(await whole(stranger, "home"))
            return tea.id in [product["id"] for product in page["featured"]]

        await eventually(is_shown)
        answer = await whole(stranger, "home")
        page = shop.taken(answer)
        assert page["popular"]
        assert all(one["in_stock"] for one in page["popular"])
        assert shop.CATEGORY in [category["slug"] for category in page["categories"]]
        assert answer.headers["cache-control"] == KEPT_BY_ANYBODY
        customer = await market.customer()
        assert "set-cookie" not in (await whole(customer, "home")).headers
        assert customer.user_id not in (await whole(customer, "home")).text
    finally:
        shop.taken(await admin.http.put(f"/api/v1/products/{tea.id}/featured", json={"featured": False}))


async def test_the_page_of_an_order_shows_its_timeline_and_payment_to_its_customer_alone(market: shop.Shop) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    placed = await customer.place(shop.basket((tea, 2)))
    await customer.settled(placed["id"])
    answer = await whole(customer, f"orders/{placed['id']}")
    page: Any = shop.taken(answer)
    assert page["order"] == await customer.order(placed["id"])
    assert page["timeline"] == (await customer.status(placed["id"]))["timeline"]
    assert page["payment"] == await customer.payment(placed["id"])
    [parcel] = await shipments.labelled(customer, placed["id"])
    [shown] = shop.taken(await whole(customer, f"orders/{placed['id']}"))["shipments"]
    assert (shown["id"], shown["lines"]) == (parcel["id"], [{"sku": tea.sku, "quantity": "2"}])
    assert answer.headers["cache-control"] == "no-store"

    admin, stranger, rival = await market.admin(), await market.stranger(), await market.customer()
    assert shop.taken(await whole(admin, f"orders/{placed['id']}"))["payment"] == page["payment"]
    path = f"{PAGES}/orders/{placed['id']}"
    refused = {person: await person.http.get(path) for person in (stranger, rival)}
    assert [answer.status_code for answer in refused.values()] == [401, 404]
    # To a rival, an order of somebody else is one that does not exist.
    unknown = await rival.http.get(f"{PAGES}/orders/{tea.id}")
    assert refused[rival].json()["details"][0]["reason"] == unknown.json()["details"][0]["reason"] == "ORDER_NOT_FOUND"


async def test_an_order_without_a_payment_yet_has_a_page_without_one(market: shop.Shop) -> None:
    customer, tea = await market.customer(), await market.product(stock=0)
    placed = await customer.place(shop.basket((tea, 1)))
    ended = await customer.settled(placed["id"])
    page = shop.taken(await whole(customer, f"orders/{placed['id']}"))
    assert (ended["status"], page.get("payment"), page["missing"]) == ("CANCELLED", None, [])


async def test_a_product_that_does_not_exist_has_no_page(market: shop.Shop) -> None:
    stranger, tea = await market.stranger(), await market.product()
    unknown = await stranger.http.get(f"{PAGES}/products/{tea.id[:-1]}{'0' if tea.id[-1] != '0' else '1'}")
    assert (unknown.status_code, unknown.json()["details"][0]["reason"]) == (404, "PRODUCT_NOT_FOUND")
