"""The rows of returns: `returns` (where each is) and `return_events` (append-only).

Whoever changes a return because somebody asked for it holds the lock of its order (`store.lock`): what was returned of an order
is known as long as that is held.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Boolean, Column, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import database
from services.chassis.schema import ID, TIME
from services.order.domain import refunds, returns
from services.order.store import METADATA

RETURNS = Table(
    "returns",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("currency", Text, nullable=False),
    Column("taxes_included", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("note", Text, nullable=False),
    Column("photos", JSONB, nullable=False),
    Column("reject_reason", Text, nullable=False),
    Column("warehouse", Text, nullable=False),
    Column("refund", JSONB, nullable=True),
    Column("amount", BigInteger, nullable=True),
    Column("refunded", BigInteger, nullable=True),
    Column("exchange_order_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
)
EVENTS = Table(
    "return_events",
    METADATA,
    Column("return_id", ID, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("status", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("time", TIME, nullable=False),
)

_R, _E = RETURNS.c, EVENTS.c
_COLUMNS = tuple(column.name for column in RETURNS.columns)
_EVENT_COLUMNS = tuple(column.name for column in EVENTS.columns)
_INSERT = database.Statement(database.insert_given(RETURNS, *_COLUMNS))
_UPDATE = database.Statement("""
UPDATE returns AS r SET status = g.status, lines = g.lines, reject_reason = g.reject_reason, warehouse = g.warehouse,
  refund = g.refund, amount = g.amount, refunded = g.refunded, exchange_order_id = g.exchange_order_id, version = g.version,
  update_time = g.update_time
FROM unnest(%(id)s::uuid[], %(status)s::text[], %(lines)s::jsonb[], %(reject_reason)s::text[], %(warehouse)s::text[],
  %(refund)s::jsonb[], %(amount)s::bigint[], %(refunded)s::bigint[], %(exchange_order_id)s::text[], %(version)s::bigint[],
  %(update_time)s::timestamptz[])
  AS g(id, status, lines, reject_reason, warehouse, refund, amount, refunded, exchange_order_id, version, update_time)
WHERE r.id = g.id
""")
_APPEND = database.Statement(database.insert_given(EVENTS, *_EVENT_COLUMNS))
_IDS = bindparam("ids", type_=ARRAY(ID))
_LOCK = database.Lookup(select(RETURNS).where(_R.id == _IDS.any_()).order_by(_R.id).with_for_update(), by="ids")
_OF_ORDER = select(RETURNS).where(_R.order_id == bindparam("order_id", type_=ID)).order_by(_R.id)
_READ_OF_ORDER, _LOCK_OF_ORDER = database.Statement(_OF_ORDER), database.Statement(_OF_ORDER.with_for_update())
_FIND = database.Statement(select(RETURNS).where(_R.id == bindparam("id", type_=ID)))
_HISTORY = database.Statement(
    select(EVENTS).where(_E.return_id == bindparam("return_id", type_=ID)).order_by(_E.sequence)
)
_DELIVERED = database.Statement("""
SELECT min(time) FROM order_events WHERE order_id = %(order_id)s AND status = 'DELIVERED'
""")

# Of a return that ended a person's own words and pictures go. Users erased: see `erasure`.
ERASE = database.Statement("""
UPDATE returns SET note = '', photos = '[]'
WHERE user_id = ANY(%(users)s::uuid[]) AND status IN ('REJECTED', 'REFUNDED') AND (note <> '' OR photos <> '[]')
""")


async def insert(transaction: database.Transaction, moved: returns.Moved) -> None:
    """Write a new return with its history."""
    await transaction.run(_INSERT, _rows([moved.back]))
    await _append(transaction, moved.entries)


async def save(transaction: database.Transaction, moved: Sequence[returns.Moved]) -> None:
    """Write where these returns are now, and add to their histories. Their rows are locked."""
    await transaction.run(_UPDATE, _rows([item.back for item in moved]))
    await _append(transaction, [entry for item in moved for entry in item.entries])


async def lock(transaction: database.Transaction, return_ids: Sequence[str]) -> dict[str, returns.Return]:
    """These returns, by id, locked until the transaction ends. Ids without one are absent."""
    return {row[0]: _return(row) for row in await transaction.run(_LOCK, {"ids": list(return_ids)})}


async def lock_of_order(transaction: database.Transaction, order_id: str) -> list[returns.Return]:
    """The returns of an order, oldest first, locked until the transaction ends."""
    return [_return(row) for row in await transaction.run(_LOCK_OF_ORDER, {"order_id": order_id})]


async def of_order(db: database.Database, order_id: str) -> list[returns.Return]:
    """The returns of an order, oldest first."""
    return [_return(row) for row in await db.read(_READ_OF_ORDER, {"order_id": order_id})]


async def find(db: database.Database, return_id: str) -> returns.Return | None:
    """The return with this id."""
    rows = await db.read(_FIND, {"id": return_id})
    return _return(rows[0]) if rows else None


async def history(db: database.Database, return_id: str) -> list[returns.Entry]:
    """A return's history, oldest first."""
    rows = await db.read(_HISTORY, {"return_id": return_id})
    return [returns.Entry(row[0], row[1], returns.Status(row[2]), *row[3:]) for row in rows]


async def delivered_at(transaction: database.Transaction, order_id: str) -> datetime | None:
    """When all of an order had arrived; None when it has not."""
    [[moment]] = await transaction.run(_DELIVERED, {"order_id": order_id})
    assert moment is None or isinstance(moment, datetime)  # noqa: S101 - tells the type checker what the driver returns
    return moment


async def _append(transaction: database.Transaction, entries: Sequence[returns.Entry]) -> None:
    await transaction.run(_APPEND, database.columns(entries, *_EVENT_COLUMNS))


def _rows(backs: Sequence[returns.Return]) -> dict[str, list[Any]]:
    special = ("lines", "photos", "refund", "amount")
    return database.columns(backs, *(name for name in _COLUMNS if name not in special)) | {
        "lines": [Jsonb([asdict(line) for line in back.lines]) for back in backs],
        "photos": [Jsonb(back.photos) for back in backs],
        "refund": [Jsonb(asdict(back.refund)) if back.refund else None for back in backs],
        "amount": [back.amount if back.refund else None for back in backs],
    }


def _line(row: Mapping[str, Any]) -> returns.Line:
    changed = {"reason": returns.Reason(row["reason"]), "refund": refunds.Refund(**row["refund"])}
    return returns.Line(**{**row, **changed})


def _return(row: database.Row) -> returns.Return:
    named = dict(zip(_COLUMNS, row, strict=True))
    # It follows from the refund.
    del named["amount"]
    changed = {
        "status": returns.Status(named["status"]),
        "lines": tuple(_line(line) for line in named["lines"]),
        "photos": tuple(named["photos"]),
        "refund": refunds.Refund(**named["refund"]) if named["refund"] else None,
    }
    return returns.Return(**{**named, **changed})
