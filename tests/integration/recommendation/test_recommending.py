"""What is recommended, and what never is: what is out of stock, not for sale any more, or just bought."""

import dataclasses
from datetime import timedelta

from services.chassis import clock
from services.recommendation.domain import Level, Product, Reason
from tests.integration.recommendation.conftest import (
    USUAL,
    Recommendation,
    basket,
    made,
    product,
    somebody,
    titles,
)


async def bought_together(souk: Recommendation, *pairs: tuple[Product, Product], times: int = 5) -> None:
    """Each pair was bought together so often, among as many orders of something else."""
    other = product("Other")
    await souk.sells(other)
    orders = [basket(*pair) for pair in pairs for _ in range(times)]
    await souk.told(*orders, *(basket(other) for _ in range(4 * times)))


async def test_what_is_bought_together_is_related_the_strongest_first(souk: Recommendation) -> None:
    tea, cup, pot, milk = (product(title) for title in ("Tea", "Cup", "Pot", "Milk"))
    await souk.sells(tea, cup, pot, milk)
    await bought_together(souk, (tea, cup), (tea, cup), (tea, pot))
    # Everybody buys milk, with tea no more than with anything.
    await souk.told(*(basket(milk) for _ in range(40)), basket(tea, milk), basket(cup, milk), basket(pot, milk))
    assert await souk.related(tea) == ["Cup", "Pot"]
    assert await souk.related(pot) == ["Tea"]
    assert await souk.related(milk) == []
    found = await souk.recommending.related(tea.id, 2)
    assert [(each.card.id, each.because_of) for each in found] == [(cup.id, tea.id), (pot.id, tea.id)]


async def test_behind_what_is_related_comes_what_trends_in_its_category_then_the_rest(souk: Recommendation) -> None:
    tea, cup = product("Tea", category="drinks"), product("Cup")
    hot, cool = product("Hot"), product("Cool", category="drinks")
    new, star = product("New"), product("Star", featured=True)
    await souk.sells(tea, cup, hot, cool, star, new)
    await bought_together(souk, (tea, cup))
    await souk.told(*(basket(hot) for _ in range(9)), basket(cool))
    found = await souk.recommending.related(tea.id, 0)
    assert titles(found)[:2] == ["Cup", "Cool"]
    reasons = {each.card.title: each.reason for each in found}
    assert reasons == {
        "Cup": Reason.BOUGHT_TOGETHER,
        "Cool": Reason.TRENDING,
        "Other": Reason.TRENDING,
        "Hot": Reason.TRENDING,
        "Star": Reason.FEATURED,
        "New": Reason.NEW,
    }
    assert "Tea" not in titles(found)


async def test_an_unknown_product_has_nothing_of_its_own(souk: Recommendation) -> None:
    tea = product("Tea")
    await souk.sells(tea)
    assert titles(await souk.recommending.related(product("Nobody told").id, 0)) == ["Tea"]


async def test_what_is_out_of_stock_or_gone_is_recommended_to_nobody(souk: Recommendation) -> None:
    tea, cup, pot, can = (product(title) for title in ("Tea", "Cup", "Pot", "Can"))
    await souk.sells(tea, cup, pot, can)
    user_id = somebody()
    await bought_together(souk, (tea, cup), (tea, pot), (tea, can))
    await souk.told(basket(tea, by=user_id))

    async def everywhere() -> set[str]:
        related = await souk.recommending.related(tea.id, 50)
        return set(
            titles([*related, *await souk.recommending.trending(50), *await souk.recommending.for_user(user_id, 50)])
        )

    assert {"Cup", "Pot", "Can"} <= await everywhere()
    await souk.told(Level(cup.skus[0], "east", 0), Product(pot.id, 2, pot.skus, deleted=True))
    # A product whose only SKU in stock is not one of its variants any more.
    await souk.told(dataclasses.replace(can, version=2, skus=("CAN-2",)), Level("CAN-2", "east", 0))
    assert not {"Cup", "Pot", "Can"} & await everywhere()
    await souk.told(Level(cup.skus[0], "west", 1), Level("CAN-2", "east", 1))
    # What was told late is not newer.
    await souk.told(dataclasses.replace(pot, title="Pot again"))
    found = await everywhere()
    assert {"Cup", "Can"} <= found
    assert not {"Pot", "Pot again"} & found


async def test_a_customer_is_shown_what_goes_with_what_they_bought_and_nothing_that_they_just_bought(
    souk: Recommendation,
) -> None:
    tea, cup, nail, hammer = (product(title) for title in ("Tea", "Cup", "Nail", "Hammer"))
    await souk.sells(tea, cup, nail, hammer)
    await bought_together(souk, (tea, cup), (nail, hammer))
    user_id = somebody()
    await souk.told(basket(tea, by=user_id))
    first, *rest = await souk.recommending.for_user(user_id, 50)
    assert (first.card.title, first.reason, first.because_of) == ("Cup", Reason.BOUGHT_TOGETHER, tea.id)
    assert {each.reason for each in rest} == {Reason.TRENDING}
    assert "Tea" not in titles([first, *rest])
    await souk.told(basket(cup, by=user_id))
    assert not {"Tea", "Cup"} & set(titles(await souk.recommending.for_user(user_id, 50)))


async def test_what_somebody_bought_long_ago_may_be_recommended_again(souk: Recommendation) -> None:
    tea, cup = product("Tea"), product("Cup")
    await souk.sells(tea, cup)
    await bought_together(souk, (tea, cup))
    user_id = somebody()
    await souk.told(basket(tea, cup, by=user_id, at=clock.utc_now() - timedelta(days=31)))
    assert {"Tea", "Cup"} <= set(titles(await souk.recommending.for_user(user_id, 2)))


async def test_a_newcomer_is_shown_what_trends_then_what_is_featured_then_what_is_new(souk: Recommendation) -> None:
    old, star, hot, new = product("Old"), product("Star", featured=True), product("Hot"), product("New")
    await souk.sells(old, star, hot, new)
    await souk.told(*(basket(hot) for _ in range(3)))
    found = await souk.recommending.for_user(somebody(), 0)
    assert [(each.card.title, each.reason) for each in found] == [
        ("Hot", Reason.TRENDING),
        ("Star", Reason.FEATURED),
        ("New", Reason.NEW),
        ("Old", Reason.NEW),
    ]


async def test_what_trends_is_what_is_bought_now_not_what_was_bought_most(souk: Recommendation) -> None:
    once, now = product("Once"), product("Now")
    await souk.sells(once, now)
    long_ago = clock.utc_now() - timedelta(days=20)
    await souk.told(*(basket(once, at=long_ago) for _ in range(50)), basket(now), basket(now))
    assert titles(await souk.recommending.trending(0)) == ["Now", "Once"]


async def test_no_category_takes_more_than_its_share_while_there_is_anything_else(souk: Recommendation) -> None:
    teas = [product(f"Tea {number}", category="tea") for number in range(6)]
    others = [product(f"Other {number}") for number in range(6)]
    await souk.sells(*teas, *others)
    await souk.told(*(basket(*teas) for _ in range(9)), *(basket(other) for other in others))
    fair = made(souk.db, souk.shop, dataclasses.replace(USUAL, share=0.4)).recommending
    found = titles(await fair.trending(5))
    assert [title.split()[0] for title in found] == ["Tea", "Tea", "Other", "Other", "Other"]


async def test_a_shop_without_anything_recommends_nothing(souk: Recommendation) -> None:
    assert await souk.recommending.trending(0) == []
    assert await souk.recommending.for_user(somebody(), 0) == []


async def test_what_is_remembered_is_not_what_has_sold_out(souk: Recommendation) -> None:
    tea, cup = product("Tea"), product("Cup")
    await souk.sells(tea, cup)
    patient = made(souk.db, souk.shop, dataclasses.replace(USUAL, together_s=60.0, trending_s=60.0)).recommending
    await bought_together(souk, (tea, cup))
    assert "Cup" in titles(await patient.related(tea.id, 0))
    await souk.told(Level(cup.skus[0], "east", 0))
    assert "Cup" not in titles([*await patient.related(tea.id, 0), *await patient.trending(0)])
