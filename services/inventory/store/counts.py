"""The rows of counts: `counts` and `count_lines`, and what moved since one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Table, Text

from services.chassis import database, pages
from services.chassis.schema import ID, TIME
from services.inventory.domain.counts import Count, Line
from services.inventory.store import METADATA

COUNTS = Table(
    "counts",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("warehouse", Text, ForeignKey("warehouses.id"), nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("count_time", TIME, nullable=False),
    Column("create_time", TIME, nullable=False),
)
LINES = Table(
    "count_lines",
    METADATA,
    Column("count_id", ID, ForeignKey("counts.id"), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("expected", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("applied", Boolean, nullable=False),
)
_COLUMNS = ("id", "warehouse", "note", "actor", "count_time", "create_time")
_INSERT = database.Statement(f"""
INSERT INTO counts ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
""")  # noqa: S608 - all parts are constants of this room
_INSERT_LINES = database.Statement("""
INSERT INTO count_lines (count_id, sku, expected, counted, applied)
SELECT %(count_id)s, * FROM unnest(%(sku)s::text[], %(expected)s::bigint[], %(counted)s::bigint[], %(applied)s::boolean[])
""")
_SELECT = f"""
SELECT {", ".join(_COLUMNS)}, l.skus, l.expected, l.counted, l.applied FROM counts
JOIN LATERAL (
  SELECT array_agg(sku ORDER BY sku) AS skus, array_agg(expected ORDER BY sku) AS expected,
    array_agg(counted ORDER BY sku) AS counted, array_agg(applied ORDER BY sku) AS applied
  FROM count_lines WHERE count_id = counts.id) AS l ON true
"""  # noqa: S608 - all parts are constants of this room
_ONE = database.Statement(f"{_SELECT} WHERE id = %(id)s")
_PAGE = database.Statement(f"{_SELECT} WHERE id < %(after)s::uuid ORDER BY id DESC LIMIT %(most)s")
_MOVED_SINCE = database.Statement("""
SELECT sku, sum(delta)::bigint FROM movements
WHERE sku = ANY(%(skus)s::text[]) AND warehouse = %(warehouse)s AND time > %(since)s GROUP BY 1
""")


async def insert(transaction: database.Transaction, count: Count) -> None:
    """Write a new count."""
    await transaction.run(_INSERT, {name: getattr(count, name) for name in _COLUMNS})
    lines = database.columns(count.lines, "sku", "expected", "counted", "applied")
    await transaction.run(_INSERT_LINES, lines | {"count_id": count.id})


async def one(db: database.Database, count_id: str) -> Count | None:
    """A count."""
    rows = await db.read(_ONE, {"id": count_id})
    return _count(rows[0]) if rows else None


async def page(db: database.Database, page: pages.Page) -> list[Count]:
    """Counts, the newest first: up to one more than the page shows."""
    return [_count(row) for row in await db.read(_PAGE, {"after": page.after or pages.LAST_ID, "most": page.size + 1})]


async def moved_since(
    transaction: database.Transaction, warehouse: str, skus: Sequence[str], since: datetime
) -> dict[str, int]:
    """What came of these SKUs to a warehouse since then, less what went. Their stock is locked by `lock`."""
    values = {"skus": list(skus), "warehouse": warehouse, "since": since}
    return dict(await transaction.run(_MOVED_SINCE, values))


def _count(row: database.Row) -> Count:
    known = dict(zip(_COLUMNS, row, strict=False))
    return Count(**known, lines=tuple(Line(*line) for line in zip(*row[len(_COLUMNS) :], strict=True)))
