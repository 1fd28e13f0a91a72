"""The rows of inventory: `warehouses`, `stock`, its `stock_thresholds` and `changed_levels`, `reservations`, `movements`.

Those of what people do have a module each: `history`, `supplies`.

Stock rows are always locked in one order (SKU, warehouse), so that batches wait for each other instead of deadlocking;
`CHECK (reserved BETWEEN 0 AND on_hand)` is the last wall. A hot SKU costs one row update per batch, not per order.

Whoever changes stock for orders notes the place in `changed_levels`, in the same statement; whoever tells of it locks the
stock first and takes the note away after that, so that a change is either in what is told or noted anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis import database, pages
from services.chassis.schema import ID, TIME
from services.inventory import domain

METADATA = MetaData()

WAREHOUSES = Table(
    "warehouses",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("preference", Integer, nullable=False),
    Column("country", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("latitude", Double, nullable=True),
    Column("longitude", Double, nullable=True),
)
STOCK = Table(
    "stock",
    METADATA,
    Column("sku", Text, primary_key=True),
    Column("warehouse", Text, ForeignKey("warehouses.id"), primary_key=True),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
)
THRESHOLDS = Table(
    "stock_thresholds",
    METADATA,
    Column("sku", Text, primary_key=True),
    Column("threshold", BigInteger, nullable=False),
)
CHANGED_LEVELS = Table(
    "changed_levels",
    METADATA,
    Column("sku", Text, primary_key=True),
    Column("warehouse", Text, primary_key=True),
    Column("since", TIME, nullable=False),
)
RESERVATIONS = Table(
    "reservations",
    METADATA,
    Column("order_id", ID, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("warehouse", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Index("ix_reservations_expire_time", "expire_time", postgresql_where="status = 'HELD'"),
)
MOVEMENTS = Table(
    "movements",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("sku", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("delta", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("time", TIME, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_movements_place", "sku", "warehouse"),
)

_S = STOCK.c
_LEVEL = (_S.sku, _S.warehouse, _S.on_hand, _S.reserved)
_LOCK = database.Lookup(
    select(*_LEVEL, func.coalesce(THRESHOLDS.c.threshold, literal_column(str(domain.LOW_BELOW))))
    .select_from(STOCK)
    .outerjoin(THRESHOLDS, THRESHOLDS.c.sku == _S.sku)
    .where(_S.sku == bindparam("skus", type_=ARRAY(Text)).any_())
    .order_by(_S.sku, _S.warehouse)
    .with_for_update(of=STOCK),
    by="skus",
)
_WAREHOUSE_COLUMNS = ("id", "title", "preference", "country", "region", "latitude", "longitude")
_WAREHOUSES = database.Statement(
    select(*(WAREHOUSES.c[name] for name in _WAREHOUSE_COLUMNS)).order_by(WAREHOUSES.c.preference, WAREHOUSES.c.id)
)
_PUT_WAREHOUSE = database.Statement("""
INSERT INTO warehouses (id, title, preference, country, region, latitude, longitude)
VALUES (%(id)s, %(title)s, %(preference)s, %(country)s, %(region)s, %(latitude)s, %(longitude)s)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, preference = excluded.preference, country = excluded.country,
  region = excluded.region, latitude = excluded.latitude, longitude = excluded.longitude
""")
_PUT_THRESHOLD = database.Statement("""
INSERT INTO stock_thresholds (sku, threshold) VALUES (%(sku)s, %(threshold)s)
ON CONFLICT (sku) DO UPDATE SET threshold = excluded.threshold
""")
_BY_SKUS = database.Lookup(
    select(*_LEVEL).where(_S.sku == bindparam("skus", type_=ARRAY(Text)).any_()).order_by(_S.sku, _S.warehouse),
    by="skus",
)
_SKU_PAGE = database.Statement(
    select(_S.sku)
    .where(_S.sku > bindparam("after", type_=Text))
    .group_by(_S.sku)
    .order_by(_S.sku)
    .limit(bindparam("most", type_=Integer))
)
_KNOWN = database.Lookup("SELECT DISTINCT order_id FROM reservations WHERE order_id = ANY(%(ids)s::uuid[])", by="ids")
_INSERT_HOLDS = database.Statement("""
INSERT INTO reservations (order_id, sku, warehouse, quantity, status, expire_time)
SELECT order_id, sku, warehouse, quantity, 'HELD', %(expire_time)s
FROM unnest(%(order_id)s::uuid[], %(sku)s::text[], %(warehouse)s::text[], %(quantity)s::bigint[])
  AS g(order_id, sku, warehouse, quantity)
""")
# One winner per reservation: whoever changes its status owns the change of stock that goes with it.
_MOVE_HOLDS = database.Lookup(
    """
UPDATE reservations SET status = %(becomes)s
WHERE order_id = ANY(%(ids)s::uuid[]) AND status = %(status)s
RETURNING order_id, sku, warehouse, quantity
""",
    by="ids",
)
_LOCK_HOLDS = database.Lookup(
    """
SELECT order_id, status, sku FROM reservations WHERE order_id = ANY(%(ids)s::uuid[]) ORDER BY order_id, sku, warehouse FOR UPDATE
""",
    by="ids",
)
# The first line of an order stands for all of them: it is what others lock first too, so nobody waits for the rest with it.
_EXPIRED = database.Statement("""
SELECT order_id FROM reservations AS first
WHERE status = 'HELD' AND expire_time <= statement_timestamp() AND NOT EXISTS (
  SELECT 1 FROM reservations AS earlier
  WHERE earlier.order_id = first.order_id AND earlier.status = 'HELD'
    AND (earlier.sku, earlier.warehouse) < (first.sku, first.warehouse))
ORDER BY expire_time LIMIT %(most)s FOR UPDATE SKIP LOCKED
""")
_HOLDS_OF = database.Lookup(
    """
SELECT order_id, sku, warehouse, quantity FROM reservations WHERE order_id = ANY(%(ids)s::uuid[]) AND status = %(status)s
""",
    by="ids",
)
_CHANGE_STOCK = database.Statement("""
WITH changed AS (
  UPDATE stock AS s SET on_hand = s.on_hand + g.on_hand, reserved = s.reserved + g.reserved
  FROM unnest(%(sku)s::text[], %(warehouse)s::text[], %(on_hand)s::bigint[], %(reserved)s::bigint[])
    AS g(sku, warehouse, on_hand, reserved)
  WHERE s.sku = g.sku AND s.warehouse = g.warehouse
  RETURNING s.sku, s.warehouse)
INSERT INTO changed_levels (sku, warehouse, since) SELECT sku, warehouse, clock_timestamp() FROM changed
ON CONFLICT DO NOTHING
""")
_CHANGED = database.Statement("""
SELECT sku, warehouse FROM changed_levels WHERE since <= statement_timestamp() - %(at_least)s ORDER BY since LIMIT %(most)s
""")
_TAKE_CHANGED = database.Statement("""
DELETE FROM changed_levels AS c USING unnest(%(sku)s::text[], %(warehouse)s::text[]) AS g(sku, warehouse)
WHERE c.sku = g.sku AND c.warehouse = g.warehouse
RETURNING c.sku, c.warehouse
""")
_MAKE_PLACES = database.Statement("""
INSERT INTO stock (sku, warehouse, on_hand, reserved)
SELECT sku, warehouse, 0, 0 FROM unnest(%(sku)s::text[], %(warehouse)s::text[]) AS g(sku, warehouse) ON CONFLICT DO NOTHING
""")
_PUT_STOCK = database.Statement("""
UPDATE stock AS s SET on_hand = g.on_hand
FROM unnest(%(sku)s::text[], %(warehouse)s::text[], %(on_hand)s::bigint[]) AS g(sku, warehouse, on_hand)
WHERE s.sku = g.sku AND s.warehouse = g.warehouse
""")
_MOVEMENT_COLUMNS = ("sku", "warehouse", "delta", "reason", "reference", "note")
_INSERT_MOVEMENTS = database.Statement("""
INSERT INTO movements (sku, warehouse, delta, reason, reference, note, time)
SELECT sku, warehouse, delta, reason, reference, note, clock_timestamp()
FROM unnest(%(sku)s::text[], %(warehouse)s::text[], %(delta)s::bigint[], %(reason)s::text[], %(reference)s::text[],
  %(note)s::text[]) AS g(sku, warehouse, delta, reason, reference, note)
""")
_NOW = database.Statement(select(func.statement_timestamp()))


@dataclass(frozen=True, slots=True)
class Known:
    """The statuses of orders' reservations (orders without any are absent), and the SKUs they are of."""

    statuses: dict[str, set[domain.HoldStatus]] = field(default_factory=dict)
    skus: set[str] = field(default_factory=set)


async def lock(transaction: database.Transaction, skus: Sequence[str]) -> list[domain.Level]:
    """All stock of these SKUs, locked until the transaction ends."""
    rows = await transaction.run(_LOCK, {"skus": sorted(set(skus))})
    return [domain.Level(*row) for row in rows]


async def warehouses(db: database.Database) -> list[domain.Warehouse]:
    """All warehouses, the preferred ones first."""
    return [_warehouse(row) for row in await db.read(_WAREHOUSES)]


async def warehouses_of(transaction: database.Transaction) -> list[domain.Warehouse]:
    """The same, as a transaction sees them."""
    return [_warehouse(row) for row in await transaction.run(_WAREHOUSES)]


async def put_warehouse(db: database.Database, warehouse: domain.Warehouse) -> None:
    """Make a warehouse, or change it."""
    place = {"country": warehouse.country, "region": warehouse.region}
    point = (
        {"latitude": warehouse.location.latitude, "longitude": warehouse.location.longitude}
        if warehouse.location
        else {}
    )
    values = {"id": warehouse.id, "title": warehouse.title, "preference": warehouse.preference}
    await db.read(_PUT_WAREHOUSE, {"latitude": None, "longitude": None} | values | place | point)


async def put_threshold(db: database.Database, sku: str, threshold: int) -> None:
    """Say below how many a SKU counts as low."""
    await db.read(_PUT_THRESHOLD, {"sku": sku, "threshold": threshold})


async def known_orders(transaction: database.Transaction, order_ids: Sequence[str]) -> set[str]:
    """Those of the orders for which something was ever held."""
    return {row[0] for row in await transaction.run(_KNOWN, {"ids": list(order_ids)})}


async def now(transaction: database.Transaction) -> datetime:
    """The database's clock: holds are ended by it too."""
    [[moment]] = await transaction.run(_NOW)
    assert isinstance(moment, datetime)  # noqa: S101 - tells the type checker what the driver returns
    return moment


async def hold(transaction: database.Transaction, holds: Sequence[domain.Hold], expire_time: datetime) -> None:
    """Write new holds."""
    rows = database.columns(holds, "order_id", "sku", "warehouse", "quantity")
    await transaction.run(_INSERT_HOLDS, rows | {"expire_time": expire_time})


async def lock_holds(transaction: database.Transaction, order_ids: Sequence[str]) -> Known:
    """What is known of these orders' reservations, locked until the transaction ends."""
    known = Known()
    for order_id, status, sku in await transaction.run(_LOCK_HOLDS, {"ids": list(order_ids)}):
        known.statuses.setdefault(order_id, set()).add(domain.HoldStatus(status))
        known.skus.add(sku)
    return known


async def lock_expired(transaction: database.Transaction, most: int) -> list[str]:
    """Up to `most` orders whose hold expired, by the database's clock; none that somebody else has locked."""
    return [row[0] for row in await transaction.run(_EXPIRED, {"most": most})]


async def holds_of(
    transaction: database.Transaction, order_ids: Sequence[str], status: domain.HoldStatus
) -> list[domain.Hold]:
    """The reservations of these orders in this status."""
    rows = await transaction.run(_HOLDS_OF, {"ids": list(order_ids), "status": status})
    return [domain.Hold(*row) for row in rows]


async def move_holds(
    transaction: database.Transaction, order_ids: Sequence[str], status: domain.HoldStatus, becomes: domain.HoldStatus
) -> list[domain.Hold]:
    """Change these orders' reservations from one status to another: those that changed, and only those."""
    rows = await transaction.run(_MOVE_HOLDS, {"ids": list(order_ids), "status": status, "becomes": becomes})
    return [domain.Hold(*row) for row in rows]


async def change(
    transaction: database.Transaction, totals: Mapping[domain.Place, int], *, on_hand: int, reserved: int
) -> None:
    """Add `on_hand` and `reserved` times each place's total to its stock, and note it. The rows are locked by `lock`."""
    rows = database.columns(totals, "sku", "warehouse") | {
        "on_hand": [on_hand * quantity for quantity in totals.values()],
        "reserved": [reserved * quantity for quantity in totals.values()],
    }
    await transaction.run(_CHANGE_STOCK, rows)


async def changed(transaction: database.Transaction, *, at_least: timedelta, most: int) -> list[domain.Place]:
    """Places whose level changed so long ago or longer and was not told since, the longest first."""
    rows = await transaction.run(_CHANGED, {"at_least": at_least, "most": most})
    return [domain.Place(*row) for row in rows]


async def take_changed(transaction: database.Transaction, places: Sequence[domain.Place]) -> set[domain.Place]:
    """Take the notes of these places away: those that nobody else has told of meanwhile. Their stock is locked by `lock`."""
    rows = await transaction.run(_TAKE_CHANGED, database.columns(places, "sku", "warehouse"))
    return {domain.Place(*row) for row in rows}


async def make_places(transaction: database.Transaction, places: Collection[domain.Place]) -> None:
    """See to it that there is something to lock where nothing lay: who makes it first is waited for."""
    ordered = sorted(places, key=lambda place: (place.sku, place.warehouse))
    await transaction.run(_MAKE_PLACES, database.columns(ordered, "sku", "warehouse"))


async def put_all(transaction: database.Transaction, levels: Sequence[domain.Level]) -> None:
    """Set what lies at places that were locked."""
    await transaction.run(_PUT_STOCK, database.columns(levels, "sku", "warehouse", "on_hand"))


async def record(transaction: database.Transaction, movements: Sequence[domain.Movement]) -> None:
    """Add to the movements."""
    await transaction.run(_INSERT_MOVEMENTS, database.columns(movements, *_MOVEMENT_COLUMNS))


async def levels_of(db: database.Database, skus: Sequence[str]) -> list[domain.Level]:
    """The stock of these SKUs, by SKU and warehouse."""
    return [domain.Level(*row) for row in await db.read(_BY_SKUS, {"skus": list(skus)})]


async def sku_page(db: database.Database, page: pages.Page) -> list[str]:
    """SKUs with stock, in order: up to one more than the page shows."""
    rows = await db.read(_SKU_PAGE, {"after": page.after, "most": page.size + 1})
    return [row[0] for row in rows]


def _warehouse(row: database.Row) -> domain.Warehouse:
    warehouse_id, title, preference, country, region, latitude, longitude = row
    point = None if latitude is None else domain.Point(latitude, longitude)
    return domain.Warehouse(warehouse_id, title, preference, country, region, point)
