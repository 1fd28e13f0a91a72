"""What is told of levels that orders change: the last word is the truth, in order, not too often, whoever is killed."""

import asyncio
import random
import uuid
from collections.abc import Sequence

import pytest

from services.chassis import database
from services.inventory import domain, usecases
from souk.inventory.v1 import inventory_events_pb2
from tests.integration.inventory import mortal_teller
from tests.support import mortal

TOLD = database.Statement("""
SELECT payload FROM outbox WHERE key = %(sku)s AND type = 'souk.inventory.v1.StockLevelChanged' ORDER BY id
""")

Numbers = tuple[str, int, int, int]


class Shelf:
    """One SKU, and what was told of it since it was filled."""

    def __init__(self, db: database.Database, *, every_s: float, hold_s: float = 600) -> None:
        self.sku = f"SKU-{str(uuid.uuid4()).upper()}"
        self.stock = usecases.Stock(db, hold_s=hold_s, levels_every_s=every_s)
        self._db = db
        self._filled = 0

    async def fill(self, **by_warehouse: int) -> "Shelf":
        for warehouse, on_hand in by_warehouse.items():
            await self.stock.set_level(domain.Level(self.sku, warehouse, on_hand, 0), actor="test")
        self._filled = len(by_warehouse)
        return self

    async def reserve(self, *quantities: int) -> list[str]:
        wants = [domain.Want(str(uuid.uuid4()), {self.sku: quantity}) for quantity in quantities]
        async with self._db.transaction() as transaction:
            await self.stock.reserve(transaction, wants)
        return [want.order_id for want in wants]

    async def commit(self, order_ids: Sequence[str]) -> None:
        async with self._db.transaction() as transaction:
            await self.stock.commit(transaction, order_ids)

    async def release(self, order_ids: Sequence[str]) -> None:
        async with self._db.transaction() as transaction:
            await self.stock.release(transaction, order_ids)

    async def told(self) -> list[Numbers]:
        """Warehouse, on hand, reserved and available of each time, in order."""
        rows = await self._db.read(TOLD, {"sku": self.sku})
        levels = [inventory_events_pb2.StockLevelChanged.FromString(row[0]).level for row in rows]
        return [(level.warehouse, level.on_hand, level.reserved, level.available) for level in levels][self._filled :]


async def test_a_sale_and_a_return_are_told(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=10)
    orders = await shelf.reserve(3)
    await shelf.stock.tell_levels()
    await shelf.commit(orders)
    await shelf.stock.tell_levels()
    await shelf.release(orders)
    await shelf.stock.tell_levels()
    assert await shelf.told() == [("east", 10, 3, 7), ("east", 7, 0, 7), ("east", 10, 0, 10)]


async def test_an_ended_hold_is_told(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=0, hold_s=0).fill(east=10)
    await shelf.reserve(3)
    await shelf.stock.tell_levels()
    while await shelf.stock.reap():
        pass
    await shelf.stock.tell_levels()
    assert await shelf.told() == [("east", 10, 3, 7), ("east", 10, 0, 10)]


async def test_many_orders_are_told_once_as_what_they_left(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=10)
    for _ in range(3):
        await shelf.reserve(1, 1)
    for _ in range(3):
        await shelf.stock.tell_levels()
    assert await shelf.told() == [("east", 10, 6, 4)]


async def test_only_the_warehouses_that_changed_are_told(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=10, west=10)
    await shelf.reserve(1)
    await shelf.stock.tell_levels()
    assert await shelf.told() == [("east", 10, 1, 9)]


async def test_an_order_that_got_nothing_changes_no_level(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=1)
    await shelf.reserve(2)
    await shelf.stock.tell_levels()
    assert await shelf.told() == []


async def test_a_level_waits_for_its_turn(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=3600).fill(east=10)
    await shelf.reserve(1)
    await shelf.stock.tell_levels()
    assert await shelf.told() == [], "so long must have passed since it changed first"


async def test_racing_orders_and_two_tellers_end_with_the_truth(db: database.Database) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=200)
    ended = asyncio.Event()

    async def sell() -> None:
        for _ in range(15):
            orders = await shelf.reserve(1, 1)
            await (shelf.commit if random.random() < 0.5 else shelf.release)(orders)  # noqa: S311 - no secret

    async def tell() -> None:
        while not ended.is_set():
            await shelf.stock.tell_levels()

    tellers = [asyncio.create_task(tell()) for _ in range(2)]
    await asyncio.gather(*(sell() for _ in range(4)))
    ended.set()
    await asyncio.gather(*tellers)
    await shelf.stock.tell_levels()
    [level] = await shelf.stock.levels(shelf.sku)
    told = await shelf.told()
    assert told[-1] == ("east", level.on_hand, 0, level.on_hand)
    on_hand = [numbers[1] for numbers in told]
    assert on_hand == sorted(on_hand, reverse=True), "nothing was put back on the shelf: later words know of more sales"


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_sale_that_died_at_its_commit_is_told_if_it_counts(
    db: database.Database, database_url: str, point: str
) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=10)
    mortal.dies(mortal_teller.MODULE, database_url, at=point, SKU=shelf.sku, ORDER_ID=str(uuid.uuid4()))
    await shelf.stock.tell_levels()
    assert await shelf.told() == ([] if point == mortal.WRITTEN else [("east", 10, 3, 7)])


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_teller_that_died_at_its_commit_leaves_nothing_untold(
    db: database.Database, database_url: str, point: str
) -> None:
    shelf = await Shelf(db, every_s=0).fill(east=10)
    await shelf.reserve(3)
    mortal.dies(mortal_teller.MODULE, database_url, at=point)
    await shelf.stock.tell_levels()
    assert await shelf.told() == [("east", 10, 3, 7)], "once, by whoever came to it"
