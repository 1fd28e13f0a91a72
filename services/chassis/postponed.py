"""Rows of an effect whose outcome is not known: due again after a wait, as far as they are still their claimer's, or sooner.

The table has `id`, `epoch`, `attempts` and `next_try_at`. When a row is due is set by the database's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis import database, loops

# Seconds until an unknown outcome is asked about: at first and at most, doubled each time, with jitter.
FIRST_RETRY_S = 0.5
MOST_RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class Postponed:
    """A claimed row that is due again after so many seconds. counted: the attempt was made."""

    id: str
    epoch: int
    wait_s: float
    counted: bool


def after(row_id: str, epoch: int, *, attempt: int, counted: bool) -> Postponed:
    """The row that was claimed at this epoch, with the wait that follows this attempt; the first one if it was not made."""
    wait_s = loops.backoff(attempt if counted else 1, first=FIRST_RETRY_S, most=MOST_RETRY_S)
    return Postponed(row_id, epoch, wait_s, counted)


def statement(table: str) -> database.Statement:
    """What `write` runs for this table."""
    return database.Statement(f"""
UPDATE {table} AS t SET next_try_at = clock_timestamp() + make_interval(secs => g.wait),
  attempts = t.attempts - CASE WHEN g.counted THEN 0 ELSE 1 END, epoch = t.epoch + 1
FROM unnest(%(id)s::uuid[], %(epoch)s::bigint[], %(wait)s::float8[], %(counted)s::boolean[])
  AS g(id, epoch, wait, counted)
WHERE t.id = g.id AND t.epoch = g.epoch
""")  # noqa: S608 - the name of a table of the service


def hastening(table: str, *, only: str = "true") -> database.Statement:
    """What `hasten` runs for this table; of rows for which `only`, a condition in SQL, does not hold nothing is asked."""
    return database.Statement(f"""
UPDATE {table} SET next_try_at = clock_timestamp()
WHERE id = %(id)s AND ({only}) AND next_try_at > clock_timestamp() + make_interval(secs => %(soon)s) RETURNING 1
""")  # noqa: S608 - the name of a table of the service, and a condition that is a constant of it


async def hasten(
    transaction: database.Transaction, by: database.Statement, row_id: str, *, soon_s: float = 0.0
) -> bool:
    """Make a row due now that is not due within soon_s seconds. False when it is, or when nothing is asked about it."""
    return bool(await transaction.run(by, {"id": row_id, "soon": soon_s}))


async def write(transaction: database.Transaction, to: database.Statement, items: Sequence[Postponed]) -> None:
    """Make these rows due again later, where they are still ours."""
    if items:
        rows = database.columns(items, "id", "epoch", "counted") | {"wait": [item.wait_s for item in items]}
        await transaction.run(to, rows)
