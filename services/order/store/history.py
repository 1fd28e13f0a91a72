"""What happened to orders: `order_events`, append-only."""

import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, select

from services.chassis import database
from services.chassis.schema import ID, TIME
from services.order import domain
from services.order.store import METADATA

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

_E = EVENTS.c
_EVENT_COLUMNS = ("order_id", "sequence", "status", "event", "reason", "actor", "time")
_INSERT_EVENTS = database.Statement(database.insert_given(EVENTS, *_EVENT_COLUMNS))
_HISTORY = database.Statement(
    select(EVENTS)
    .where(_E.order_id == bindparam("order_id", type_=ID), _E.sequence > bindparam("after", type_=BigInteger))
    .order_by(_E.sequence)
)
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


async def append(transaction: database.Transaction, entries: Sequence[domain.HistoryEntry]) -> None:
    """Add to the history."""
    await transaction.run(_INSERT_EVENTS, database.columns(entries, *_EVENT_COLUMNS))


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
