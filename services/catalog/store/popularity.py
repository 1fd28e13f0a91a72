"""What was sold lately: one row in `sales` for each product, which decays by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.catalog import domain, store
from services.catalog.domain import popularity
from services.chassis import database

# On the way of every order: one statement for a whole batch, with the rows in one order.
_COUNT = database.Statement("""
INSERT INTO sales AS s (product_id, sold, as_of, due_at)
SELECT v.product_id, sum(g.quantity), %(now)s, %(due_at)s
FROM unnest(%(skus)s::text[], %(quantities)s::bigint[]) AS g (sku, quantity)
JOIN variants AS v USING (sku)
GROUP BY v.product_id ORDER BY v.product_id
ON CONFLICT (product_id) DO UPDATE SET
  sold = s.sold * exp(-%(decay)s * greatest(0, extract(epoch FROM excluded.as_of - s.as_of))) + excluded.sold,
  as_of = greatest(s.as_of, excluded.as_of),
  due_at = least(s.due_at, excluded.due_at)
""")
_DUE = database.Statement("""
SELECT s.product_id, s.sold, s.as_of, p.popularity
FROM sales AS s JOIN products AS p ON p.id = s.product_id
WHERE s.due_at <= %(now)s ORDER BY s.due_at LIMIT %(most)s FOR UPDATE OF s SKIP LOCKED
""")
_LOCK = database.Statement("SELECT FROM products WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE")
_WRITE = database.Statement("""
UPDATE products AS p SET popularity = g.popularity
FROM unnest(%(ids)s::uuid[], %(popularity)s::bigint[]) AS g (id, popularity) WHERE p.id = g.id
""")
_READ = database.Statement(
    f"{store.PRODUCTS_SQL} WHERE p.id = ANY(%(ids)s::uuid[]) AND p.delete_time IS NULL ORDER BY p.id"
)
_LOOK_AGAIN = database.Statement("UPDATE sales SET due_at = %(at)s WHERE product_id = ANY(%(ids)s::uuid[])")
_FORGET = database.Statement("DELETE FROM sales WHERE product_id = ANY(%(ids)s::uuid[])")


async def count(transaction: database.Transaction, units: Mapping[str, int], *, now: datetime) -> None:
    """Add so many units of each SKU. SKUs that no product has or had are passed over."""
    rows = {"skus": list(units), "quantities": list(units.values())}
    times = {"now": now, "due_at": now + popularity.TELL_AFTER, "decay": popularity.DECAY_PER_S}
    await transaction.run(_COUNT, rows | times)


async def due(transaction: database.Transaction, *, now: datetime, most: int) -> list[popularity.Count]:
    """Counts that should be looked at, and that nobody else is looking at, locked."""
    return [popularity.Count(*row) for row in await transaction.run(_DUE, {"now": now, "most": most})]


async def write(transaction: database.Transaction, told: Mapping[str, int]) -> list[domain.Product]:
    """Write the popularity of products: those of them that are not deleted, with it."""
    ids = list(told)
    await transaction.run(_LOCK, {"ids": ids})
    await transaction.run(_WRITE, {"ids": ids, "popularity": list(told.values())})
    return [store.product_of(row) for row in await transaction.run(_READ, {"ids": ids})]


async def looked_at(
    transaction: database.Transaction, product_ids: Sequence[str], gone: Sequence[str], *, again: datetime
) -> None:
    """Products were looked at: again later, and never again those that are gone until they are sold."""
    await transaction.run(_LOOK_AGAIN, {"ids": list(product_ids), "at": again})
    if gone:
        await transaction.run(_FORGET, {"ids": list(gone)})
