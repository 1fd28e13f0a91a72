"""Deadlines of sagas: which have passed, and when somebody last looked (`timers`, one row)."""

from datetime import datetime

from sqlalchemy import Column, Table, Text

from services.chassis import database
from services.chassis.schema import TIME
from services.order.store import METADATA

# When somebody last looked at deadlines: one row.
TIMERS = Table("timers", METADATA, Column("name", Text, primary_key=True), Column("seen_at", TIME, nullable=False))

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
