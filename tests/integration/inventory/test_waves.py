"""What several kinds of events ask for in one wave: all rows are locked once, in one order."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from services.chassis import database, ids
from services.inventory import domain, events, store, usecases
from tests.support import locks, postgres


@pytest.fixture(scope="module")
def database_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "inventory") as url:
        yield url


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, events.PUBLISHED) as opened:
        yield opened


def new_id() -> str:
    return ids.new_id(datetime.now(UTC))


async def held(db: database.Database, stock: usecases.Stock, sku: str) -> str:
    await stock.put_warehouse(domain.Warehouse("main", "Main", 1))
    await stock.set_level(domain.Level(sku, "main", 10, 0), actor="test")
    order_id = new_id()
    async with db.transaction() as transaction:
        await stock.hear(transaction, [domain.Want(order_id, {sku: 1})])
    return order_id


async def test_two_mixed_waves_over_the_same_stock_wait_for_each_other_instead_of_deadlocking(
    db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = usecases.Stock(db, hold_s=600)
    first, second = await held(db, stock, "A"), await held(db, stock, "B")
    locked: list[Sequence[str]] = []
    lock = store.lock

    async def noted(transaction: database.Transaction, skus: Sequence[str]) -> list[domain.Level]:
        locked.append(sorted(skus))
        found = await lock(transaction, skus)
        # Long enough for the other wave to come here: with a lock for each kind, each would hold what the other needs.
        await asyncio.sleep(0.05)
        return found

    monkeypatch.setattr(store, "lock", noted)

    async def wave(want: str, confirmed: str) -> None:
        async with db.transaction() as transaction:
            await stock.hear(transaction, [domain.Want(new_id(), {want: 1}), domain.Confirmation(confirmed)])

    await asyncio.gather(wave("A", second), wave("B", first))
    assert locked == [["A", "B"], ["A", "B"]]


async def test_what_a_later_wave_changes_is_locked_by_the_first_also_for_an_order_that_is_placed_again(
    db: database.Database,
) -> None:
    stock = usecases.Stock(db, hold_s=600)
    order_id = await held(db, stock, "A")
    await held(db, stock, "B")

    async def another_worker() -> None:
        async with db.transaction() as transaction:
            await store.lock(transaction, ["A", "B"])

    async with db.transaction() as transaction:
        await stock.hear(transaction, [domain.Want(order_id, {"A": 1}), domain.Want(new_id(), {"B": 1})])
        other = asyncio.create_task(another_worker())
        await locks.somebody_waits(db)
        # It must wait for A too: had it locked that, each would wait for the other from here on.
        await stock.hear(transaction, [domain.Confirmation(order_id)])
    await other


async def test_the_reaper_passes_by_an_order_that_is_under_way_and_keeps_none_of_its_lines(
    db: database.Database,
) -> None:
    stock = usecases.Stock(db, hold_s=0)
    await stock.put_warehouse(domain.Warehouse("main", "Main", 1))
    for sku in ("C", "D"):
        await stock.set_level(domain.Level(sku, "main", 10, 0), actor="test")
    order_id = new_id()
    async with db.transaction() as transaction:
        await stock.hear(transaction, [domain.Want(order_id, {"C": 1, "D": 1})])
    line = database.Statement("SELECT FROM reservations WHERE order_id = %(id)s AND sku = %(sku)s FOR UPDATE")
    async with db.transaction() as transaction:
        await transaction.run(line, {"id": order_id, "sku": "C"})
        reaping = asyncio.create_task(stock.reap())
        assert await asyncio.wait_for(reaping, 3) == 0
        # With its other line in the hands of a reaper that waits for the first, this would be a deadlock.
        await transaction.run(line, {"id": order_id, "sku": "D"})
    assert await stock.reap() == 1
