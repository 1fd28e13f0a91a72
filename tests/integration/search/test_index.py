"""How the index follows the catalog and the stock: late, repeated and racing events, and builds."""

import asyncio
import dataclasses

from services.chassis import database, money
from services.search.domain import Level, Product, Variant
from tests.integration.search.conftest import Search, product

STATES = database.Statement("SELECT state FROM indexes ORDER BY version")


def priced(old: Product, amount: int, version: int) -> Product:
    variants = tuple(Variant(each.sku, each.title, money.Money("EUR", amount)) for each in old.variants)
    return dataclasses.replace(old, variants=variants, version=version)


async def price(search: Search, text: str) -> int:
    [hit] = (await search.find(text)).hits
    return hit.price_from.amount


async def test_an_old_price_is_never_shown_after_a_newer_one(search: Search) -> None:
    chair = product("Chair", 100)
    await search.told(priced(chair, 300, version=3))
    for late in (chair, priced(chair, 200, version=2), chair):
        await search.told(late)
        assert await price(search, "chair") == 300
    await search.told(priced(chair, 400, version=4), priced(chair, 350, version=3))
    assert await price(search, "chair") == 400


async def test_a_deleted_product_does_not_come_back_by_a_late_event(search: Search) -> None:
    chair = product("Chair")
    await search.told(chair)
    await search.told(Product(chair.id, 3, deleted=True))
    assert await search.titles("chair") == await search.titles() == []
    await search.told(priced(chair, 1, version=2))
    assert await search.titles("chair") == []


async def test_a_product_is_in_stock_while_some_warehouse_has_some(search: Search) -> None:
    chair = product("Chair")
    [sku] = chair.skus
    await search.told(Level(sku, "east", 2))
    await search.told(chair)
    assert await search.titles(in_stock=True) == ["Chair"]
    await search.told(Level(sku, "east", 0), Level(sku, "west", 1))
    assert await search.titles(in_stock=True) == ["Chair"]
    await search.told(Level(sku, "west", 0))
    assert await search.titles(in_stock=True) == []
    assert await search.titles() == ["Chair"]


async def test_a_product_and_its_stock_that_come_at_the_same_moment_do_not_miss_each_other(search: Search) -> None:
    chairs = [product(f"Chair {number}") for number in range(20)]
    await asyncio.gather(
        *(search.told(chair) for chair in chairs),
        *(search.told(Level(chair.skus[0], "east", 1)) for chair in reversed(chairs)),
    )
    assert len(await search.titles(in_stock=True)) == 20


async def test_a_build_reads_everything_and_replaces_the_index_while_events_go_on(search: Search) -> None:
    shop = search.shop
    old, gone = product("Old chair", 100), product("Gone chair")
    shop.products = [old, gone, *(product(f"Chair {number}") for number in range(4))]
    shop.levels = [Level(each.skus[0], "east", 1) for each in shop.products]
    before = await search.index.state()
    assert (await search.index.rebuild()).building
    assert (await search.index.rebuild()).building
    await search.index.build()
    # What was read is late: it is changed and deleted before the build is done.
    await search.told(priced(old, 999, version=2), Product(gone.id, 2, deleted=True))
    await search.told(Level(old.skus[0], "east", 0))
    await search.built()
    after = await search.index.state()
    assert (after.version, after.building, after.products) == (before.version + 1, False, 5)
    assert await price(search, "old") == 999
    assert await search.titles("gone") == []
    assert len(await search.titles(in_stock=True)) == 4
    assert [state for [state] in await search.db.read(STATES)] == ["RETIRED", "ACTIVE"]


async def test_searches_find_the_same_at_every_step_of_a_build(search: Search) -> None:
    search.shop.products = [product(f"Chair {number}") for number in range(5)]
    await search.told(*search.shop.products)
    await search.index.rebuild()
    while await search.index.build():
        assert len(await search.titles("chair")) == 5
    assert len(await search.titles("chair")) == 5


async def test_two_builders_of_one_build_take_each_page_once(search: Search) -> None:
    search.shop.products = [product(f"Chair {number}") for number in range(9)]
    await search.index.rebuild()
    await asyncio.gather(search.built(), search.built())
    state = await search.index.state()
    assert (state.products, state.building) == (9, False)


async def test_what_was_told_of_stock_is_not_replaced_by_what_a_build_read_before(search: Search) -> None:
    chair = product("Chair")
    search.shop.products, search.shop.levels = [chair], [Level(chair.skus[0], "east", 5)]
    await search.told(chair, Level(chair.skus[0], "east", 0))
    await search.index.rebuild()
    await search.built()
    assert await search.titles(in_stock=True) == []
