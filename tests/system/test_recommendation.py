"""Recommendation as callers of the edge see it: what customers buy is recommended, and what cannot be bought is not."""

from tests.support import shop
from tests.support.polling import eventually

MINE, TRENDING = "/api/v1/recommendations", "/api/v1/recommendations/trending"
MODEL, REBUILD = "/api/v1/recommendations/model", "/api/v1/recommendations/rebuild"
MOST = {"limit": "50"}
LEARNS_S = 20.0


async def ids_of(person: shop.Person, path: str) -> list[str]:
    """The products that somebody is recommended, the best first."""
    answer = shop.taken(await person.http.get(path, params=MOST))
    return [each["product_id"] for each in answer["recommendations"]]


async def together(person: shop.Person, product: shop.Product) -> list[str]:
    """What is bought together with a product."""
    answer = shop.taken(await person.http.get(f"/api/v1/products/{product.id}/related", params=MOST))
    return [each["product_id"] for each in answer["recommendations"] if each["reason"] == "BOUGHT_TOGETHER"]


async def buy(market: shop.Shop, *products: shop.Product) -> shop.Person:
    """A new customer who has bought one of each."""
    customer = await market.customer()
    order = await customer.place(shop.basket(*((product, 1) for product in products)))
    assert (await customer.settled(order["id"]))["status"] == shop.PAID
    return customer


async def test_what_customers_buy_together_is_related_and_recommended_until_it_sells_out(market: shop.Shop) -> None:
    tea, cup, nail = await market.product(), await market.product(), await market.product()
    stranger = await market.stranger()
    # Enough to be no chance, also where nobody else has bought anything, and after one more has bought tea alone.
    for _ in range(4):
        await buy(market, tea, cup)
    for _ in range(6):
        await buy(market, nail)

    async def is_related() -> bool:
        return await together(stranger, tea) == [cup.id]

    await eventually(is_related, within_s=LEARNS_S)
    assert await together(stranger, nail) == []
    customer = await buy(market, tea)

    async def is_recommended() -> bool:
        return (await ids_of(customer, MINE))[:1] == [cup.id]

    await eventually(is_recommended, within_s=LEARNS_S)
    await market.put_stock(cup, 0)

    async def is_gone() -> bool:
        everything = [*await ids_of(customer, MINE), *await ids_of(stranger, TRENDING)]
        return cup.id not in [*everything, *await together(stranger, tea)]

    await eventually(is_gone, within_s=LEARNS_S)


async def test_what_somebody_just_bought_is_recommended_to_others_only(market: shop.Shop) -> None:
    hot = await market.product(stock=100)
    buyers = [await buy(market, hot) for _ in range(4)]
    newcomer = await market.customer()

    async def trends() -> bool:
        return hot.id in await ids_of(newcomer, TRENDING) and hot.id in await ids_of(newcomer, MINE)

    async def is_shown_to_no_buyer() -> bool:
        # It trends as soon as some of the orders are heard.
        return not any([hot.id in await ids_of(buyer, MINE) for buyer in buyers])

    await eventually(trends, within_s=LEARNS_S)
    await eventually(is_shown_to_no_buyer, within_s=LEARNS_S)
    assert await trends()


async def test_a_deleted_product_is_recommended_no_more(market: shop.Shop) -> None:
    hot, admin = await market.product(stock=100), await market.admin()
    for _ in range(4):
        await buy(market, hot)

    async def trends() -> bool:
        return hot.id in await ids_of(admin, TRENDING)

    async def is_gone() -> bool:
        return not await trends()

    await eventually(trends, within_s=LEARNS_S)
    version = shop.taken(await admin.http.get(f"/api/v1/products/{hot.id}"))["version"]
    shop.taken(await admin.http.delete(f"/api/v1/products/{hot.id}", params={"version": version}))
    await eventually(is_gone, within_s=LEARNS_S)


async def test_an_administrator_has_the_model_made_anew_and_the_same_is_recommended(market: shop.Shop) -> None:
    tea, cup, admin = await market.product(), await market.product(), await market.admin()
    for _ in range(3):
        await buy(market, tea, cup)
        await buy(market, await market.product())

    async def is_related() -> bool:
        return await together(admin, tea) == [cup.id]

    await eventually(is_related, within_s=LEARNS_S)

    begun = shop.taken(await admin.post(REBUILD, {}))
    assert begun["state"] == "REBUILDING"

    async def is_made() -> bool:
        return bool(shop.taken(await admin.http.get(MODEL))["state"] == "READY")

    await eventually(is_made, within_s=LEARNS_S)
    assert await together(admin, tea) == [cup.id]
