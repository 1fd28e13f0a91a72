"""The rows of orders: `orders` (never changed), `sagas` (where each order is), `order_events` (append-only) and `timers`.

Every write takes a list and is one statement. Rows become domain values here and nowhere else.
"""

import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import database, money, pages
from services.chassis.schema import ID, TIME
from services.order import domain, saga

SERVICE = "order"
METADATA = MetaData()

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("address", JSONB, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("taxes_included", Boolean, nullable=False),
    Column("discounts", JSONB, nullable=True),
    Column("service_level", Text, nullable=False, server_default="STANDARD"),
)
SAGAS = Table(
    "sagas",
    METADATA,
    Column("order_id", ID, primary_key=True),
    Column("id", ID, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("awaiting", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("deadline", TIME, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("stuck", Boolean, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("cancel_reason", Text, nullable=False),
    Column("shortages", JSONB, nullable=True),
)
EVENTS = Table(
    "order_events",
    METADATA,
    Column("order_id", ID, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("status", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("time", TIME, nullable=False),
)
# When somebody last looked at deadlines: one row.
TIMERS = Table("timers", METADATA, Column("name", Text, primary_key=True), Column("seen_at", TIME, nullable=False))

_O, _S, _E = ORDERS.c, SAGAS.c, EVENTS.c
_ORDER_COLUMNS = tuple(column.name for column in ORDERS.columns)
_EVENT_COLUMNS = ("order_id", "sequence", "status", "event", "reason", "actor", "time")
_INSERT_ORDERS = database.Statement(database.insert_given(ORDERS, *_ORDER_COLUMNS))
_INSERT_EVENTS = database.Statement(database.insert_given(EVENTS, *_EVENT_COLUMNS))
# Deadlines are set by the database's clock, which the timer compares them with: no process's clock can be wrong.
_GIVEN_SAGAS = """
unnest(%(order_id)s::uuid[], %(id)s::uuid[], %(definition_version)s::int[], %(status)s::text[], %(step)s::text[],
  %(awaiting)s::text[], %(version)s::bigint[], %(update_time)s::timestamptz[], %(attempts)s::int[], %(stuck)s::boolean[],
  %(payment_id)s::text[], %(cancel_reason)s::text[], %(shortages)s::jsonb[], %(wait)s::float8[])
AS g(order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason, shortages, wait)"""
_INSERT_SAGAS = database.Statement(f"""
INSERT INTO sagas (order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason, shortages, deadline)
SELECT order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason, shortages, clock_timestamp() + make_interval(secs => wait)
FROM {_GIVEN_SAGAS}
""")  # noqa: S608 - both parts are constants of this file
_UPDATE_SAGAS = database.Statement(f"""
UPDATE sagas AS s SET status = g.status, step = g.step, awaiting = g.awaiting, version = g.version,
  update_time = g.update_time, attempts = g.attempts, stuck = g.stuck, payment_id = g.payment_id,
  cancel_reason = g.cancel_reason, shortages = g.shortages, deadline = clock_timestamp() + make_interval(secs => g.wait)
FROM {_GIVEN_SAGAS}
WHERE s.order_id = g.order_id
""")  # noqa: S608 - as above

_PLACED = select(ORDERS, SAGAS).join(SAGAS, _S.order_id == _O.id)
_IDS = bindparam("ids", type_=ARRAY(ID))
_BY_IDS = database.Lookup(_PLACED.where(_O.id == _IDS.any_()), by="ids")
# Locked in one order, so that two batches with orders in common wait for each other instead of deadlocking.
_LOCK = database.Lookup(_PLACED.where(_O.id == _IDS.any_()).order_by(_S.order_id).with_for_update(of=SAGAS), by="ids")
_OVERDUE = database.Statement("""
SELECT order_id FROM sagas WHERE deadline <= statement_timestamp()
ORDER BY deadline LIMIT %(most)s FOR UPDATE SKIP LOCKED
""")
_IF_OVERDUE = database.Statement("""
SELECT order_id FROM sagas WHERE order_id = %(order_id)s AND deadline <= statement_timestamp() FOR UPDATE SKIP LOCKED
""")
_POSTPONE_OVERDUE = database.Statement("""
UPDATE sagas SET deadline = clock_timestamp() + make_interval(secs => %(wait)s)
WHERE order_id = %(order_id)s AND deadline <= statement_timestamp()
""")
_LAST_LOOK = database.Statement("""
SELECT seen_at, extract(epoch FROM clock_timestamp() - seen_at)::float8 FROM timers WHERE name = 'saga' FOR UPDATE
""")
_LOOK = database.Statement("""
INSERT INTO timers (name, seen_at) VALUES ('saga', clock_timestamp())
ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at RETURNING seen_at
""")
# Each order waits again for what was left of its wait when it was last listened to. Locked in one order, as by all others. Those
# whose parcels are on their way are many, and lose nothing when they ask again.
_PUT_OFF = database.Statement("""
WITH waiting AS (
  SELECT order_id FROM sagas WHERE deadline IS NOT NULL AND step <> 'DELIVERY' ORDER BY order_id FOR UPDATE),
put_off AS (
  UPDATE sagas AS s SET deadline = greatest(
    s.deadline + greatest(clock_timestamp() - greatest(%(seen_at)s, s.update_time), interval '0'),
    clock_timestamp() + make_interval(secs => %(least)s))
  FROM waiting WHERE s.order_id = waiting.order_id
  RETURNING 1)
SELECT count(*) FROM put_off
""")
_PAGE = database.Statement(
    _PLACED.where(_O.user_id == bindparam("user_id", type_=ID), _O.id < bindparam("before", type_=ID))
    .order_by(_O.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_HISTORY = database.Statement(
    select(EVENTS)
    .where(_E.order_id == bindparam("order_id", type_=ID), _E.sequence > bindparam("after", type_=BigInteger))
    .order_by(_E.sequence)
)
_HAVE_ORDERED = database.Statement("""
SELECT u.id FROM unnest(%(user_ids)s::uuid[]) AS u(id) WHERE EXISTS (
  SELECT 1 FROM orders AS o JOIN sagas AS s ON s.order_id = o.id WHERE o.user_id = u.id AND s.status <> 'CANCELLED')
""")
# What is new of many orders, each behind the entry that is known of it, in one statement: orders without news are absent.
_NEWS = database.Statement("""
SELECT g.order_id, s.step = 'DONE', e.sequence, e.status, e.event, e.reason, e.actor, e.time
FROM unnest(%(order_ids)s::uuid[], %(seen)s::bigint[]) AS g(order_id, seen)
JOIN sagas AS s ON s.order_id = g.order_id AND (s.version > g.seen OR s.step = 'DONE')
LEFT JOIN order_events AS e ON e.order_id = g.order_id AND e.sequence > g.seen
ORDER BY g.order_id, e.sequence
""")


@dataclass(frozen=True, slots=True)
class News:
    """What happened to an order since somebody looked, and whether its saga ended. entries are oldest first."""

    order_id: str
    settled: bool
    entries: tuple[domain.HistoryEntry, ...]


async def insert(transaction: database.Transaction, placed: Sequence[domain.Placed], waits: saga.Waits) -> None:
    """Write new orders with their sagas."""
    orders = [item.order for item in placed]
    rows = database.columns(orders, "id", "user_id", "payment_method", "create_time", "taxes_included", "service_level")
    rows |= {
        "currency": [order.total.currency for order in orders],
        "total": [order.total.amount for order in orders],
        "lines": [Jsonb([_line_row(line) for line in order.lines]) for order in orders],
        "address": [Jsonb(asdict(order.address)) for order in orders],
        "discounts": [Jsonb([asdict(one) for one in order.discounts]) if order.discounts else None for order in orders],
    }
    await transaction.run(_INSERT_ORDERS, rows)
    await transaction.run(_INSERT_SAGAS, _saga_rows([item.saga for item in placed], waits))


async def save(transaction: database.Transaction, sagas: Sequence[domain.Saga], waits: saga.Waits) -> None:
    """Write where these orders are now. Their rows are locked by `lock`."""
    await transaction.run(_UPDATE_SAGAS, _saga_rows(sagas, waits))


async def append(transaction: database.Transaction, entries: Sequence[domain.HistoryEntry]) -> None:
    """Add to the history."""
    await transaction.run(_INSERT_EVENTS, database.columns(entries, *_EVENT_COLUMNS))


async def lock(transaction: database.Transaction, order_ids: Sequence[str]) -> dict[str, domain.Placed]:
    """These orders, by id, locked until the transaction ends. Ids without an order are absent."""
    return _by_id(await transaction.run(_LOCK, {"ids": list(order_ids)}))


async def lock_overdue(transaction: database.Transaction, most: int) -> list[str]:
    """Up to so many orders whose deadline passed, by the database's clock, that no other timer holds."""
    return [row[0] for row in await transaction.run(_OVERDUE, {"most": most})]


async def lock_if_overdue(transaction: database.Transaction, order_id: str) -> list[str]:
    """The order, if its deadline passed and no other timer holds it."""
    return [row[0] for row in await transaction.run(_IF_OVERDUE, {"order_id": order_id})]


async def postpone_overdue(transaction: database.Transaction, order_id: str, *, wait_s: float) -> None:
    """Let this order's deadline pass again so many seconds from now."""
    await transaction.run(_POSTPONE_OVERDUE, {"order_id": order_id, "wait": wait_s})


async def look(transaction: database.Transaction) -> tuple[datetime, float]:
    """Note that somebody looks at deadlines: when somebody did before, and how many seconds ago, by the database's clock."""
    before = await transaction.run(_LAST_LOOK)
    [[seen_at]] = await transaction.run(_LOOK)
    return (before[0][0], before[0][1]) if before else (seen_at, 0.0)


async def put_off(transaction: database.Transaction, seen_at: datetime, *, least_s: float) -> int:
    """Move all deadlines by the time since `seen_at`, and to `least_s` from now at the least: how many there were."""
    [[waiting]] = await transaction.run(_PUT_OFF, {"seen_at": seen_at, "least": least_s})
    return int(waiting)


async def load(db: database.Database, order_ids: Sequence[str]) -> dict[str, domain.Placed]:
    """These orders, by id. Ids without an order are absent."""
    return _by_id(await db.read(_BY_IDS, {"ids": list(order_ids)}))


async def page_of(db: database.Database, user_id: str, page: pages.Page) -> list[domain.Placed]:
    """A user's orders, newest first: up to one more than the page shows."""
    rows = await db.read(_PAGE, {"user_id": user_id, "before": page.after or pages.LAST_ID, "most": page.size + 1})
    return [_placed(row) for row in rows]


async def have_ordered(db: database.Database, user_ids: Sequence[str]) -> frozenset[str]:
    """Those of these users who have an order that is not CANCELLED."""
    rows = await db.read(_HAVE_ORDERED, {"user_ids": list(user_ids)})
    return frozenset(row[0] for row in rows)


async def history(db: database.Database, order_id: str, *, after: int = 0) -> list[domain.HistoryEntry]:
    """An order's history behind the entry `after`, oldest first."""
    rows = await db.read(_HISTORY, {"order_id": order_id, "after": after})
    return [domain.HistoryEntry(row[0], row[1], domain.Status(row[2]), *row[3:]) for row in rows]


async def news(db: database.Database, seen: Mapping[str, int]) -> list[News]:
    """What is new of these orders, each given with the last sequence that is known of it. Orders without news are absent."""
    rows = await db.read(_NEWS, {"order_ids": list(seen), "seen": list(seen.values())})
    by_order = itertools.groupby(rows, key=operator.itemgetter(0, 1))
    return [News(order_id, settled, _entries(found)) for (order_id, settled), found in by_order]


def _entries(rows: Iterable[database.Row]) -> tuple[domain.HistoryEntry, ...]:
    # A settled order without newer entries is one row without an entry.
    return tuple(
        domain.HistoryEntry(row[0], row[2], domain.Status(row[3]), *row[4:]) for row in rows if row[2] is not None
    )


def _saga_rows(sagas: Sequence[domain.Saga], waits: saga.Waits) -> dict[str, list[Any]]:
    plain = ("order_id", "id", "definition_version", "status", "step", "version", "update_time", "attempts", "stuck")
    return database.columns(sagas, *plain, "payment_id", "cancel_reason") | {
        "awaiting": [",".join(sorted(item.awaiting)) for item in sagas],
        "shortages": [Jsonb([asdict(s) for s in item.shortages]) if item.shortages else None for item in sagas],
        "wait": [waits.after(item) for item in sagas],
    }


def _line_row(line: domain.Line) -> dict[str, Any]:
    row = {"sku": line.sku, "title": line.title, "quantity": line.quantity, "price": line.unit_price.amount}
    return row if line.charges == domain.Charges() else row | {"charges": asdict(line.charges)}


def _line(row: Mapping[str, Any], currency: str) -> domain.Line:
    # Lines without charges say nothing of them, as those of before there were any.
    charges = domain.Charges(**row.get("charges", {}))
    return domain.Line(row["sku"], row["title"], row["quantity"], money.Money(currency, row["price"]), charges)


def _by_id(rows: Sequence[database.Row]) -> dict[str, domain.Placed]:
    return {row[0]: _placed(row) for row in rows}


def _placed(row: database.Row) -> domain.Placed:
    order_id, user_id, currency, total, lines, address, payment_method, create_time = row[:8]
    taxes_included, discounts, service_level = row[8:11]
    order = domain.Order(
        id=order_id,
        user_id=user_id,
        lines=tuple(_line(line, currency) for line in lines),
        total=money.Money(currency, total),
        address=domain.Address(**address),
        payment_method=payment_method,
        create_time=create_time,
        taxes_included=taxes_included,
        discounts=tuple(domain.Discount(**discount) for discount in discounts or ()),
        service_level=service_level,
    )
    return domain.Placed(order, _saga(row[11:]))


def _saga(row: database.Row) -> domain.Saga:
    order_id, saga_id, definition_version, status, step, awaiting, version, update_time = row[:8]
    deadline, attempts, stuck, payment_id, cancel_reason, shortages = row[8:]
    return domain.Saga(
        id=saga_id,
        order_id=order_id,
        definition_version=definition_version,
        status=domain.Status(status),
        step=domain.Step(step),
        awaiting=frozenset(awaiting.split(",")) if awaiting else frozenset(),
        version=version,
        update_time=update_time,
        deadline=deadline,
        attempts=attempts,
        stuck=stuck,
        payment_id=payment_id,
        cancel_reason=cancel_reason,
        shortages=tuple(domain.Shortage(**item) for item in shortages or ()),
    )
