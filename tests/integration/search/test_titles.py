"""A category's title is a word of its products: when it changes they are found by the new one, and no longer by the old one."""

import asyncio
import dataclasses

import pytest

from services.search import usecases
from services.search.domain import Category
from tests.integration.search.conftest import Search, product
from tests.support import locks


async def followed(search: Search) -> int:
    """Follow titles to the end: in how many steps."""
    steps = 0
    while await search.index.follow_titles():
        steps += 1
    await search.pushed()
    return steps


async def renamed(search: Search, title: str) -> None:
    search.shop.shelves = [
        Category("home", "Home"),
        Category("chairs", title, "home"),
        Category("lamps", "Lamps", "home"),
    ]
    await search.index.learn_categories()


@pytest.fixture(autouse=True)
def _two_products_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "PRODUCTS_AT_ONCE", 2)


async def test_products_of_a_renamed_category_are_found_by_its_new_title(search: Search) -> None:
    await followed(search)
    search.shop.products = [product(f"Model {number}") for number in range(5)]
    lamp = product("Model lamp", category="lamps")
    await search.told(*search.shop.products, lamp)
    await renamed(search, "Fauteuils")
    assert await search.titles("fauteuil") == []
    # Two at once, and one step that finds no more.
    assert await followed(search) == 4
    assert len(await search.titles("fauteuil")) == 5
    await renamed(search, "Sofas")
    await followed(search)
    assert (await search.titles("fauteuil"), len(await search.titles("sofa"))) == ([], 5)
    assert await followed(search) == 0


async def test_a_product_that_came_before_its_category_is_found_by_its_title_too(search: Search) -> None:
    rug = product("Model", category="rugs")
    search.shop.products = [rug]
    await search.told(rug)
    search.shop.shelves.append(Category("rugs", "Tapis"))
    await search.index.learn_categories()
    await followed(search)
    assert await search.titles("tapis") == ["Model"]


async def test_whoever_dies_in_between_leaves_the_rest_to_the_next_one(search: Search) -> None:
    await followed(search)
    search.shop.products = [product(f"Model {number}") for number in range(4)]
    await search.told(*search.shop.products)
    await renamed(search, "Fauteuils")
    assert await search.index.follow_titles()
    await search.pushed()
    assert len(await search.titles("fauteuil")) == 2
    # Another process goes on; and two at once take each step once.
    other = usecases.Index(search.db, search.shop, search.shop)
    await asyncio.gather(*(index.follow_titles() for index in (search.index, other)))
    await followed(search)
    assert len(await search.titles("fauteuil")) == 4


async def test_a_product_that_changes_meanwhile_keeps_what_is_newer(search: Search) -> None:
    await followed(search)
    old = product("Model old")
    search.shop.products = [old]
    await search.told(old, dataclasses.replace(old, version=2, title="Model new"))
    await renamed(search, "Fauteuils")
    # The catalog's answer is from before the change.
    await followed(search)
    assert await search.titles("model") == ["Model new"]
    await search.told(dataclasses.replace(old, version=3, title="Model newest"))
    assert await search.titles("fauteuil") == ["Model newest"]


async def test_a_title_does_not_change_under_who_writes_products_by_the_old_one(search: Search) -> None:
    await followed(search)
    late = product("Model late")
    search.shop.products = [late]
    async with search.db.transaction() as transaction:
        await search.index.hear(transaction, [late])
        renaming = asyncio.create_task(renamed(search, "Fauteuils"))
        await locks.somebody_waits(search.db)
        assert not renaming.done()
    await renaming
    await followed(search)
    assert await search.titles("fauteuil") == ["Model late"]
