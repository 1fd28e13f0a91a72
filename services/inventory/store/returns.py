"""The returns whose goods were put on shelves: `returns_shelved`, one row each."""

from collections.abc import Sequence

from sqlalchemy import Column, Table

from services.chassis import database
from services.chassis.schema import ID, TIME
from services.inventory import domain
from services.inventory.store import METADATA

SHELVED = Table(
    "returns_shelved",
    METADATA,
    Column("return_id", ID, primary_key=True),
    Column("order_id", ID, nullable=False, index=True),
    Column("time", TIME, nullable=False),
)

_CLAIM = database.Statement("""
INSERT INTO returns_shelved (return_id, order_id, time)
SELECT return_id, order_id, clock_timestamp() FROM unnest(%(return_id)s::uuid[], %(order_id)s::uuid[]) AS g(return_id, order_id)
ON CONFLICT DO NOTHING RETURNING return_id
""")


async def claim(transaction: database.Transaction, goods: Sequence[domain.GoodsReturned]) -> list[domain.GoodsReturned]:
    """Those of these returns that nobody put on shelves before: it is this transaction's to do."""
    won = {row[0] for row in await transaction.run(_CLAIM, database.columns(goods, "return_id", "order_id"))}
    return [item for item in goods if item.return_id in won]
