"""The rows of goods on their way: `supplies` and `supply_lines`. A supply is locked before any stock."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, literal_column

from services.chassis import database, pages
from services.chassis.schema import ID, TIME
from services.inventory.domain import supplies
from services.inventory.domain.supplies import Kind, Line, State, Supply
from services.inventory.store import METADATA

SUPPLIES = Table(
    "supplies",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, ForeignKey("warehouses.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("expected_time", TIME, nullable=True),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
    Index("ix_supplies_kind", "kind", "id"),
)
LINES = Table(
    "supply_lines",
    METADATA,
    Column("supply_id", ID, ForeignKey("supplies.id"), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Index("ix_supply_lines_missing", "sku", postgresql_where=literal_column("received < quantity")),
)
_COLUMNS = (
    "id", "kind", "source", "target", "state", "expected_time", "note", "actor", "create_time", "update_time",
)  # fmt: skip
_INSERT = database.Statement(f"""
INSERT INTO supplies ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
""")  # noqa: S608 - all parts are constants of this room
_INSERT_LINES = database.Statement("""
INSERT INTO supply_lines (supply_id, sku, quantity, received)
SELECT %(supply_id)s, * FROM unnest(%(sku)s::text[], %(quantity)s::bigint[], %(received)s::bigint[])
""")
_SELECT = f"""
SELECT {", ".join(_COLUMNS)}, l.skus, l.quantities, l.received FROM supplies
JOIN LATERAL (
  SELECT array_agg(sku ORDER BY sku) AS skus, array_agg(quantity ORDER BY sku) AS quantities,
    array_agg(received ORDER BY sku) AS received
  FROM supply_lines WHERE supply_id = supplies.id) AS l ON true
"""  # noqa: S608 - all parts are constants of this room
_ONE = database.Statement(f"{_SELECT} WHERE id = %(id)s AND kind = %(kind)s")
_PAGE = database.Statement(f"""
{_SELECT} WHERE kind = %(kind)s AND id < %(after)s::uuid AND (NOT %(under_way)s OR state = 'UNDER_WAY')
ORDER BY id DESC LIMIT %(most)s
""")
_LOCK = database.Statement("SELECT FROM supplies WHERE id = %(id)s AND kind = %(kind)s FOR UPDATE")
_UPDATE = database.Statement("""
UPDATE supplies SET state = %(state)s, expected_time = %(expected_time)s, update_time = %(update_time)s WHERE id = %(id)s
""")
_UPDATE_LINES = database.Statement("""
UPDATE supply_lines AS l SET received = g.received FROM unnest(%(sku)s::text[], %(received)s::bigint[]) AS g(sku, received)
WHERE l.supply_id = %(supply_id)s AND l.sku = g.sku
""")


async def insert(transaction: database.Transaction, supply: Supply) -> None:
    """Write a new supply."""
    await transaction.run(_INSERT, {name: getattr(supply, name) for name in _COLUMNS})
    lines = database.columns(supply.lines, "sku", "quantity", "received")
    await transaction.run(_INSERT_LINES, lines | {"supply_id": supply.id})


async def update(transaction: database.Transaction, supply: Supply) -> None:
    """Write what became of a supply that is locked."""
    changed = {"id": supply.id, "state": supply.state, "expected_time": supply.expected_time}
    await transaction.run(_UPDATE, changed | {"update_time": supply.update_time})
    lines = database.columns(supply.lines, "sku", "received")
    await transaction.run(_UPDATE_LINES, lines | {"supply_id": supply.id})


async def locked(transaction: database.Transaction, kind: Kind, supply_id: str) -> Supply | None:
    """A supply, locked until the transaction ends. It is read behind the lock: its lines may have waited for it."""
    await transaction.run(_LOCK, {"id": supply_id, "kind": kind})
    rows = await transaction.run(_ONE, {"id": supply_id, "kind": kind})
    return _supply(rows[0]) if rows else None


async def one(db: database.Database, kind: Kind, supply_id: str) -> Supply | None:
    """A supply."""
    rows = await db.read(_ONE, {"id": supply_id, "kind": kind})
    return _supply(rows[0]) if rows else None


async def page(db: database.Database, kind: Kind, page: pages.Page, *, under_way: bool) -> list[Supply]:
    """Supplies of a kind, the newest first: up to one more than the page shows."""
    values = {"kind": kind, "after": page.after or pages.LAST_ID, "under_way": under_way, "most": page.size + 1}
    return [_supply(row) for row in await db.read(_PAGE, values)]


def _supply(row: Sequence[Any]) -> Supply:
    known = dict(zip(_COLUMNS, row, strict=False))
    lines = tuple(Line(*line) for line in zip(*row[len(_COLUMNS) :], strict=True))
    return supplies.Supply(**known | {"kind": Kind(known["kind"]), "state": State(known["state"])}, lines=lines)
