"""What events teach: each order once, in whatever order it is told; what is made anew is what events have made."""

import asyncio
import dataclasses
import random
from datetime import timedelta

import pytest

from services.chassis import clock, database, ids
from services.recommendation import domain
from services.recommendation.domain import Basket, Level, Product
from services.recommendation.usecases import learning
from tests.integration.recommendation.conftest import Recommendation, basket, made, product, somebody, titles

BUYERS = database.Statement("SELECT count(*) FROM baskets WHERE user_id = %(user_id)s")
ROWS = database.Statement("""
SELECT (SELECT count(*) FROM baskets), (SELECT count(*) FROM item_counts), (SELECT count(*) FROM pair_counts),
  (SELECT count(*) FROM order_counts)
""")


def some_orders(products: list[Product], count: int, seed: int) -> list[Basket]:
    """Orders of one to four products over five months."""
    chance = random.Random(seed)  # noqa: S311 - the same orders in every run, no secret
    now = clock.utc_now()
    return [
        basket(*chance.sample(products, chance.randint(1, 4)), at=now - timedelta(hours=chance.randrange(24 * 150)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_is_made_anew_is_what_events_have_made_however_they_came(souk: Recommendation, seed: int) -> None:
    """In pieces, repeated, disordered, before their products, with products told again in older versions."""
    products = [product(f"P{number}") for number in range(12)]
    newer = [dataclasses.replace(each, version=2, title=f"{each.title} new") for each in products[:4]]
    orders = some_orders(products, 120, seed)
    told: list[Product | Level | Basket] = [*orders, *orders[:40], *products, *newer, *products[:6]]
    random.Random(seed).shuffle(told)  # noqa: S311 - no secret
    for start in range(0, len(told), 17):
        await souk.told(*told[start : start + 17])
    while await souk.learning.resolve():
        pass
    grown = await souk.counts()
    assert sum(orders for _, orders in grown["orders"]) == 120

    souk.shop.products = [*newer, *products[4:]]
    await souk.rebuilt()
    assert await souk.counts() == grown
    # And what somebody computes who has all of it at once.
    [*rows] = await souk.db.read(database.Statement("SELECT sku, product FROM skus"))
    bought = [order for each in orders if (order := domain.resolved(each, dict(rows)))]
    whole = domain.counted(bought)
    assert grown["orders"] == sorted(whole.orders.items())
    assert grown["pairs"] == [(*key, both) for key, both in sorted(whole.pairs.items())]
    assert [row[:3] for row in grown["items"]] == [(*key, tally.orders) for key, tally in sorted(whole.items.items())]
    heats = [tally.heat for _, tally in sorted(whole.items.items())]
    assert [float(row[3]) for row in grown["items"]] == pytest.approx(heats, abs=1e-8)


async def test_orders_that_come_while_it_is_made_anew_count_once_wherever_they_are(souk: Recommendation) -> None:
    products = [product(f"P{number}") for number in range(6)]
    await souk.sells(*products)
    souk.shop.products = products
    early, late = some_orders(products, 30, 4), some_orders(products, 30, 5)
    unknown = product("Unknown")
    waiting = basket(products[0], unknown)
    await souk.told(*early, waiting)
    await souk.building.rebuild()
    steps = 0
    while await souk.building.build():
        await souk.told(*late[steps * 4 : steps * 4 + 4])
        steps += 1
        if steps == 3:
            await souk.told(unknown)
            await souk.learning.resolve()
    await souk.told(*late[steps * 4 :])
    grown = await souk.counts()
    assert sum(orders for _, orders in grown["orders"]) == 61
    await souk.rebuilt()
    assert await souk.counts() == grown


async def test_an_order_whose_turn_has_passed_in_a_build_counts_in_both_slots(souk: Recommendation) -> None:
    tea, cup = product("Tea"), product("Cup")
    await souk.sells(tea, cup)
    now = clock.utc_now()
    old, new = basket(tea, cup, at=now - timedelta(hours=2)), basket(tea, cup, at=now)
    await souk.told(new)
    await souk.building.rebuild()
    passed = database.Statement("SELECT after_order FROM model WHERE stage = 'ORDERS'")
    while await souk.db.read(passed) != [(new.order_id,)]:
        await souk.building.build()
    await souk.told(old)
    await souk.built()
    assert [orders for _, orders in (await souk.counts())["orders"]] in ([2], [1, 1])


async def test_builders_and_consumers_at_once_lose_nothing_and_count_nothing_twice(souk: Recommendation) -> None:
    products = [product(f"P{number}") for number in range(8)]
    await souk.sells(*products)
    orders = some_orders(products, 200, 6)
    await souk.told(*orders[:100])
    await souk.building.rebuild()
    pieces = [orders[start : start + 10] for start in range(60, 200, 10)]
    await asyncio.gather(souk.built(), souk.built(), *(souk.told(*piece) for piece in pieces))
    await souk.built()
    assert sum(orders for _, orders in (await souk.counts())["orders"]) == 200
    grown = await souk.counts()
    await souk.rebuilt()
    assert await souk.counts() == grown


async def test_an_order_that_comes_before_its_product_waits_for_it(souk: Recommendation) -> None:
    tea, cup = product("Tea"), product("Cup")
    await souk.told(tea, basket(tea, cup))
    assert await souk.learning.resolve() == 0
    state = await souk.building.state()
    assert (state.orders, state.waiting) == (0, 1)
    await souk.told(cup)
    assert await souk.learning.resolve() == 1
    state = await souk.building.state()
    assert (state.orders, state.waiting) == (1, 0)


async def test_a_build_reads_what_was_there_before_anybody_listened_and_nothing_over_what_events_told(
    souk: Recommendation,
) -> None:
    tea, cup, pot = product("Tea"), product("Cup"), product("Pot")
    souk.shop.products = [tea, cup, pot]
    souk.shop.levels = [Level(each.skus[0], "east", 5) for each in (tea, cup, pot)]
    newer = dataclasses.replace(cup, version=2, title="Better cup")
    await souk.told(newer, Level(tea.skus[0], "east", 0), *(basket(tea, cup) for _ in range(3)))
    assert (await souk.building.state()).waiting == 3
    await souk.rebuilt()
    state = await souk.building.state()
    assert (state.products, state.orders, state.waiting) == (3, 0, 3)
    assert await souk.learning.resolve() == 3
    assert sorted(titles(await souk.recommending.trending(0))) == ["Better cup", "Pot"]


async def test_a_sku_that_its_product_has_no_more_still_counts(souk: Recommendation) -> None:
    tea = product("Tea", skus=("OLD", "NEW"))
    await souk.told(dataclasses.replace(tea, version=2, skus=("NEW",)), tea)
    await souk.told(tea)
    await souk.told(Basket(somebody(), somebody(), clock.utc_now(), ("OLD", "NEW")))
    assert [row[2] for row in (await souk.counts())["items"]] == [1]


async def test_an_order_that_says_it_is_of_next_year_is_of_now(souk: Recommendation) -> None:
    tea = product("Tea")
    await souk.told(tea, basket(tea, at=clock.utc_now() + timedelta(days=365)))
    [(number, _)] = (await souk.counts())["orders"]
    assert number == domain.period(clock.utc_now())


async def test_a_forgotten_user_is_named_nowhere_and_their_orders_still_count(souk: Recommendation) -> None:
    tea, cup, user_id = product("Tea"), product("Cup"), somebody()
    await souk.sells(tea, cup)
    await souk.told(basket(tea, cup, by=user_id))
    assert await souk.db.read(BUYERS, {"user_id": user_id}) == [(1,)]
    before = await souk.counts()
    await souk.forgot(user_id)
    assert await souk.db.read(BUYERS, {"user_id": user_id}) == [(0,)]
    assert await souk.counts() == before
    # What was on its way.
    await souk.told(basket(tea, by=user_id))
    assert await souk.db.read(BUYERS, {"user_id": user_id}) == [(0,)]
    assert (await souk.building.state()).orders == 2


async def test_who_is_forgotten_while_their_order_is_written_is_not_named_by_it(souk: Recommendation) -> None:
    tea = product("Tea")
    await souk.sells(tea)
    users = [somebody() for _ in range(20)]
    orders = [souk.told(basket(tea, by=user_id)) for user_id in users]
    await asyncio.gather(*orders, *(souk.forgot(user_id) for user_id in users))
    for user_id in users:
        assert await souk.db.read(BUYERS, {"user_id": user_id}) == [(0,)]


async def test_what_is_older_than_half_a_year_is_deleted_a_little_at_a_time(
    souk: Recommendation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tea, cup = product("Tea"), product("Cup")
    await souk.sells(tea, cup)
    now = clock.utc_now()
    old = [basket(tea, cup, at=now - timedelta(days=230, hours=number)) for number in range(5)]
    await souk.told(*old, basket(tea, cup, at=now), basket(tea, cup, at=now - timedelta(days=30)))
    await souk.forgot(somebody())
    monkeypatch.setattr(learning, "ROWS_AT_ONCE", 2)
    while await souk.learning.purge():
        pass
    assert await souk.db.read(ROWS) == [(2, 4, 2, 2)]
    later = learning.Learning(souk.db, now=lambda: now + timedelta(days=300))
    while await later.purge():
        pass
    assert await souk.db.read(ROWS) == [(0, 0, 0, 0)]
    assert await souk.db.read(database.Statement("SELECT count(*) FROM forgotten")) == [(0,)]


async def test_two_consumers_of_the_same_products_do_not_wait_in_a_circle(souk: Recommendation) -> None:
    products = [product(f"P{number}") for number in range(10)]
    await souk.sells(*products)
    pieces = [some_orders(products, 20, seed) for seed in range(12)]
    await asyncio.gather(*(made(souk.db, souk.shop).told(*piece, *products) for piece in pieces))
    assert (await souk.building.state()).orders == 240


async def test_numbers_are_not_used_up_by_products_that_are_told_again(souk: Recommendation) -> None:
    tea = product("Tea")
    for _ in range(50):
        await souk.told(tea)
    await souk.told(cup := product("Cup"))
    numbers = await souk.db.read(database.Statement("SELECT number FROM products ORDER BY number"))
    assert cup.version
    assert [number for [number] in numbers] == [1, 2]
    assert ids.canonical(tea.id) == tea.id
