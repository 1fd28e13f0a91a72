"""Stock on a real database: holds, commits, releases, expiry, corrections; no batch ever oversells."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from services.chassis import database, errors, ids, pages
from services.inventory import domain, store, usecases
from services.inventory.domain import Level, Want

FACTS = database.Statement("SELECT type, key FROM outbox ORDER BY id")
SUMS = database.Statement("""
SELECT s.sku FROM stock AS s WHERE s.on_hand <> (
  SELECT coalesce(sum(m.delta), 0) FROM movements AS m WHERE m.sku = s.sku AND m.warehouse = s.warehouse)
""")
PROMISED = database.Statement("""
SELECT s.sku FROM stock AS s WHERE s.reserved <> (
  SELECT coalesce(sum(r.quantity), 0) FROM reservations AS r
  WHERE r.sku = s.sku AND r.warehouse = s.warehouse AND r.status = 'HELD')
""")


@pytest_asyncio.fixture
async def db(db: database.Database) -> AsyncIterator[database.Database]:
    yield db
    assert await db.read(SUMS) == [], "the movements add up to the stock"
    assert await db.read(PROMISED) == [], "what is promised is what orders hold"


@pytest.fixture
def stock(db: database.Database) -> usecases.Stock:
    return usecases.Stock(db, hold_s=600)


def new_id() -> str:
    return ids.new_id(datetime.now(UTC))


def new_sku() -> str:
    return "SKU-" + new_id()[-12:].upper()


async def reserve(db: database.Database, stock: usecases.Stock, *wants: Want) -> None:
    async with db.transaction() as transaction:
        await stock.reserve(transaction, wants)


async def commit(db: database.Database, stock: usecases.Stock, *order_ids: str) -> None:
    async with db.transaction() as transaction:
        await stock.commit(transaction, order_ids)


async def release(db: database.Database, stock: usecases.Stock, *order_ids: str) -> None:
    async with db.transaction() as transaction:
        await stock.release(transaction, order_ids)


async def facts(db: database.Database, order_id: str) -> list[str]:
    return [kind.rsplit(".", 1)[1] for kind, key in await db.read(FACTS) if key == order_id]


async def filled(stock: usecases.Stock, east: int, west: int = 0) -> str:
    sku = new_sku()
    await stock.set_level(Level(sku, "east", east, 0), actor="test")
    if west:
        await stock.set_level(Level(sku, "west", west, 0), actor="test")
    return sku


async def level(stock: usecases.Stock, sku: str) -> tuple[int, int]:
    levels = await stock.levels(sku)
    return sum(item.on_hand for item in levels), sum(item.reserved for item in levels)


async def test_a_confirmed_order_takes_its_stock_off_the_shelf(db: database.Database, stock: usecases.Stock) -> None:
    sku, order_id = await filled(stock, 5), new_id()
    await reserve(db, stock, Want(order_id, {sku: 3}))
    assert await level(stock, sku) == (5, 3)
    await commit(db, stock, order_id)
    assert await level(stock, sku) == (2, 0)
    assert await facts(db, order_id) == ["StockReserved", "StockCommitted"]


async def test_a_cancelled_order_gives_its_hold_back(db: database.Database, stock: usecases.Stock) -> None:
    sku, order_id = await filled(stock, 5), new_id()
    await reserve(db, stock, Want(order_id, {sku: 3}))
    await release(db, stock, order_id)
    assert await level(stock, sku) == (5, 0)
    assert await facts(db, order_id) == ["StockReserved", "StockReleased"]


async def test_a_confirmed_order_that_is_cancelled_puts_its_goods_back(
    db: database.Database, stock: usecases.Stock
) -> None:
    sku, order_id = await filled(stock, 5), new_id()
    await reserve(db, stock, Want(order_id, {sku: 3}))
    await commit(db, stock, order_id)
    await release(db, stock, order_id)
    assert await level(stock, sku) == (5, 0)


async def test_a_wish_that_comes_again_is_answered_again_and_changes_nothing(
    db: database.Database, stock: usecases.Stock
) -> None:
    sku, order_id = await filled(stock, 5), new_id()
    await reserve(db, stock, Want(order_id, {sku: 3}))
    for _ in range(2):
        await commit(db, stock, order_id)
    assert await level(stock, sku) == (2, 0)
    for _ in range(2):
        await release(db, stock, order_id)
    assert await level(stock, sku) == (5, 0)
    assert await facts(db, order_id) == ["StockReserved", *["StockCommitted"] * 2, *["StockReleased"] * 2]


async def test_a_confirmation_after_the_cancellation_takes_nothing(
    db: database.Database, stock: usecases.Stock
) -> None:
    sku, order_id = await filled(stock, 5), new_id()
    await reserve(db, stock, Want(order_id, {sku: 3}))
    await release(db, stock, order_id)
    await commit(db, stock, order_id)
    assert await level(stock, sku) == (5, 0)
    assert await facts(db, order_id) == ["StockReserved", "StockReleased"]


async def test_a_cancelled_order_that_never_held_anything_is_answered_too(
    db: database.Database, stock: usecases.Stock
) -> None:
    order_id = new_id()
    await release(db, stock, order_id)
    assert await facts(db, order_id) == ["StockReleased"]


async def test_a_confirmed_order_of_which_nothing_is_known_is_refused_instead_of_left_waiting(
    db: database.Database, stock: usecases.Stock
) -> None:
    # As when a restored database had too little to hold again what it had sold.
    sku, held, forgotten = await filled(stock, 5), new_id(), new_id()
    await reserve(db, stock, Want(held, {sku: 5}), Want(forgotten, {sku: 1}))
    await commit(db, stock, held, forgotten)
    assert await facts(db, held) == ["StockReserved", "StockCommitted"]
    assert await facts(db, forgotten) == ["StockRejected", "StockRejected"]


async def test_an_order_that_cannot_be_held_holds_nothing(db: database.Database, stock: usecases.Stock) -> None:
    plenty, scarce, order_id = await filled(stock, 9), await filled(stock, 1), new_id()
    await reserve(db, stock, Want(order_id, {plenty: 2, scarce: 2}))
    assert await level(stock, plenty) == (9, 0)
    assert await facts(db, order_id) == ["StockRejected"]


async def test_an_order_is_filled_from_two_warehouses(db: database.Database, stock: usecases.Stock) -> None:
    sku, order_id = await filled(stock, 2, 2), new_id()
    await reserve(db, stock, Want(order_id, {sku: 4}))
    assert [(item.warehouse, item.reserved) for item in await stock.levels(sku)] == [("east", 2), ("west", 2)]


async def test_racing_batches_never_oversell(db: database.Database, stock: usecases.Stock) -> None:
    skus = [await filled(stock, 50) for _ in range(3)]
    batches = [[Want(new_id(), {skus[n % 3]: 1, skus[(n + 1) % 3]: 1}) for n in range(20)] for _ in range(10)]
    await asyncio.gather(*(reserve(db, stock, *batch) for batch in batches))
    reserved = [(await level(stock, sku))[1] for sku in skus]
    assert all(count <= 50 for count in reserved)
    assert sum(reserved) >= 148, "what is there is sold: at most one unit of a SKU can be left alone"


async def test_an_expired_hold_gives_its_stock_back(db: database.Database) -> None:
    brief = usecases.Stock(db, hold_s=0)
    sku, order_id = await filled(brief, 5), new_id()
    await reserve(db, brief, Want(order_id, {sku: 3}))
    assert await brief.reap() == 1
    assert await level(brief, sku) == (5, 0)
    assert await facts(db, order_id) == ["StockReserved", "StockReleased"]
    assert await brief.reap() == 0


async def test_a_confirmation_after_the_hold_ended_holds_again_if_it_can(db: database.Database) -> None:
    brief = usecases.Stock(db, hold_s=0)
    sku, order_id = await filled(brief, 5), new_id()
    await reserve(db, brief, Want(order_id, {sku: 3}))
    await brief.reap()
    await commit(db, brief, order_id)
    assert await level(brief, sku) == (2, 0)
    assert (await facts(db, order_id))[-1] == "StockCommitted"


async def test_a_confirmation_after_the_stock_was_sold_to_another_says_so(db: database.Database) -> None:
    brief = usecases.Stock(db, hold_s=0)
    sku, late, quick = await filled(brief, 5), new_id(), new_id()
    await reserve(db, brief, Want(late, {sku: 3}))
    await brief.reap()
    lasting = usecases.Stock(db, hold_s=600)
    await reserve(db, lasting, Want(quick, {sku: 4}))
    await commit(db, brief, late, quick)
    assert await level(brief, sku) == (1, 0)
    assert (await facts(db, late))[-1] == "StockRejected"
    assert (await facts(db, quick))[-1] == "StockCommitted"


async def test_reaper_and_confirmation_race_for_a_hold_and_one_wins(db: database.Database) -> None:
    brief = usecases.Stock(db, hold_s=0)
    sku = await filled(brief, 100)
    orders = [new_id() for _ in range(20)]
    await reserve(db, brief, *(Want(order_id, {sku: 1}) for order_id in orders))
    await asyncio.gather(brief.reap(), *(commit(db, brief, order_id) for order_id in orders), brief.reap())
    on_hand, reserved = await level(brief, sku)
    assert (on_hand, reserved) == (80, 0), "every order was committed once, whoever came first"


async def test_a_correction_is_a_movement_and_cannot_go_below_what_is_held(
    db: database.Database, stock: usecases.Stock
) -> None:
    sku, order_id = await filled(stock, 5), new_id()
    await reserve(db, stock, Want(order_id, {sku: 3}))
    with pytest.raises(errors.DomainError, match="STOCK_BELOW_RESERVED"):
        await stock.set_level(Level(sku, "east", 2, 0), actor="ann")
    await stock.set_level(Level(sku, "east", 8, 0), actor="ann")
    moved = await db.read(
        database.Statement("SELECT delta, reference FROM movements WHERE sku = %(sku)s ORDER BY id"), {"sku": sku}
    )
    assert moved == [(5, "test"), (3, "ann")]


async def test_there_is_no_stock_in_a_warehouse_that_does_not_exist(stock: usecases.Stock) -> None:
    with pytest.raises(errors.DomainError, match="WAREHOUSE_UNKNOWN"):
        await stock.set_level(Level(new_sku(), "moon", 1, 0), actor="ann")


async def test_all_stock_is_listed_page_by_page(stock: usecases.Stock) -> None:
    mine = {await filled(stock, 1, 1) for _ in range(5)}
    seen: list[str] = []
    token = ""
    while True:
        found = await stock.page(pages.Page(2, token))
        seen += [levels[0].sku for levels in found.rows]
        token = found.next_after
        if not token:
            break
    assert mine <= set(seen)
    assert seen == sorted(set(seen))


async def test_movements_cannot_be_changed(db: database.Database, stock: usecases.Stock) -> None:
    await filled(stock, 1)
    with pytest.raises(Exception, match="append-only"):
        await db.read(database.Statement("UPDATE movements SET delta = 99"))


async def test_the_last_wall_stands(db: database.Database, stock: usecases.Stock) -> None:
    sku = await filled(stock, 1)
    with pytest.raises(Exception, match="promised_is_there"):
        async with db.transaction() as transaction:
            await store.change(transaction, {domain.Place(sku, "east"): 1}, on_hand=0, reserved=2)
