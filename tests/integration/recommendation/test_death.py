"""A build whose process is killed: what was counted before is read, events go on, and the next process finishes it."""

import pickle
from pathlib import Path

import pytest

from services.recommendation.domain import Level
from services.recommendation.usecases import building
from tests.integration.recommendation import mortal as process
from tests.integration.recommendation.conftest import Recommendation, basket, product
from tests.support import mortal


@pytest.mark.parametrize("at", process.POINTS)
async def test_a_build_that_is_killed_leaves_what_was_and_the_next_process_finishes_it(
    at: str, souk: Recommendation, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "ORDERS_AT_ONCE", 3)
    products = [product(f"P{number}") for number in range(5)]
    souk.shop.products = products
    souk.shop.levels = [Level(each.skus[0], "east", 10) for each in products]
    await souk.sells(*products)
    await souk.told(*(basket(*products[number % 3 : number % 3 + 2]) for number in range(10)))
    before = await souk.counts()
    await souk.building.rebuild()
    reads = tmp_path / "shop"
    reads.write_bytes(pickle.dumps((souk.shop.products, souk.shop.levels)))
    mortal.dies(process.__name__, database_url, at=at, SHOP=str(reads))

    assert (await souk.building.state()).building
    assert await souk.counts() == before
    # Events are not waiting for the build.
    await souk.told(*(basket(products[3], products[4]) for _ in range(6)))
    grown = await souk.counts()
    await souk.built()
    assert not (await souk.building.state()).building
    assert await souk.counts() == grown
    assert await souk.related(products[3]) == ["P4"]
