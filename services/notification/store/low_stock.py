"""The rows of `low_stock`: notes of what fell low, of which vendors are told."""

from collections.abc import Sequence

from services.chassis import database
from services.notification import domain

# What fell low again before it was told waits no longer for it.
_NOTE_LOW = database.Statement("""
INSERT INTO low_stock (sku, available, threshold, since)
SELECT sku, available, threshold, clock_timestamp()
FROM unnest(%(sku)s::text[], %(available)s::bigint[], %(threshold)s::bigint[]) AS g(sku, available, threshold)
ON CONFLICT (sku) DO UPDATE SET available = excluded.available, threshold = excluded.threshold
""")
_LOW_DUE = database.Statement("""
SELECT sku FROM low_stock
WHERE EXISTS (SELECT FROM low_stock WHERE since <= statement_timestamp() - make_interval(secs => %(every)s::float8))
ORDER BY since LIMIT %(most)s
""")
_TAKE_LOW = database.Statement("""
WITH taken AS MATERIALIZED (
  SELECT sku FROM low_stock WHERE sku = ANY(%(sku)s::text[]) ORDER BY sku FOR UPDATE)
DELETE FROM low_stock USING taken WHERE low_stock.sku = taken.sku
RETURNING low_stock.sku, low_stock.available, low_stock.threshold
""")


async def note_low(transaction: database.Transaction, low: Sequence[domain.LowStock]) -> None:
    """Remember that these fell low. Each is there once."""
    await transaction.run(_NOTE_LOW, database.columns(low, "sku", "available", "threshold"))


async def low_due(db: database.Database, *, every_s: float, most: int) -> list[str]:
    """All SKUs that fell low, up to so many, once one of them waits for every_s seconds; none before."""
    return [row[0] for row in await db.read(_LOW_DUE, {"every": every_s, "most": most})]


async def take_low(transaction: database.Transaction, skus: Sequence[str]) -> list[domain.LowStock]:
    """Take the notes of these SKUs away: those that nobody else took, by SKU."""
    return [domain.LowStock(*row) for row in sorted(await transaction.run(_TAKE_LOW, {"sku": list(skus)}))]
