"""A build whose process is killed: the index of before is searched, and the next process finishes what it finds."""

import dataclasses
import pickle
from pathlib import Path

import pytest

from services.search.domain import Level, Product
from tests.integration.search import mortal as process
from tests.integration.search.conftest import Search, product
from tests.support import mortal


@pytest.fixture
def search(record: Search) -> Search:
    """PostgreSQL's: the process that is killed has no mirror."""
    return record


@pytest.mark.parametrize("at", process.POINTS)
async def test_a_build_that_is_killed_leaves_the_index_of_before_and_the_next_process_finishes_it(
    at: str, search: Search, database_url: str, tmp_path: Path
) -> None:
    shop = search.shop
    kept, gone, late = product("Chair kept"), product("Chair gone"), product("Chair late")
    shop.products = [kept, gone, late, *(product(f"Chair {number}") for number in range(3))]
    shop.levels = [Level(each.skus[0], "east", 1) for each in shop.products]
    await search.told(*shop.products, *shop.levels)
    # What only the index of before has: the catalog knows nothing of it any more.
    await search.told(product("Chair forgotten"))
    before = await search.index.rebuild()
    reads = tmp_path / "shop"
    reads.write_bytes(pickle.dumps((shop.products, shop.levels)))
    mortal.dies(process.__name__, database_url, at=at, SHOP=str(reads))

    assert len(await search.titles("chair")) == 7
    state = await search.index.state()
    assert (state.version, state.building) == (before.version, True)
    # Events are not waiting for the build.
    newer = dataclasses.replace(late, version=2, title="Chair newer")
    await search.told(newer, Product(gone.id, 2, deleted=True), Level(kept.skus[0], "east", 0))
    assert len(await search.titles("chair")) == 6

    await search.built()
    built = await search.index.state()
    assert (built.version, built.building, built.products) == (before.version + 1, False, 5)
    found = await search.titles("chair")
    assert sorted(found) == ["Chair 0", "Chair 1", "Chair 2", "Chair kept", "Chair newer"]
    assert "Chair kept" not in await search.titles("chair", in_stock=True)


async def test_a_build_after_one_that_was_killed_has_nothing_left_of_it(
    search: Search, database_url: str, tmp_path: Path
) -> None:
    reads = tmp_path / "shop"
    reads.write_bytes(pickle.dumps(([product(f"Chair {number}") for number in range(4)], [])))
    await search.index.rebuild()
    mortal.dies(process.__name__, database_url, at=process.READING, SHOP=str(reads))
    # The catalog has other products by now; the killed build goes on behind those that it has read.
    await search.built()
    search.shop.products = [product("Stool")]
    await search.index.rebuild()
    await search.built()
    assert await search.titles() == ["Stool"]
    assert (await search.index.state()).products == 1
