"""The history's rows: `movements` as they are read, and what they and the held reservations add up to."""

from services.chassis import database, pages
from services.inventory import domain
from services.inventory.domain import history

# All movements of the SKU are sorted for a page. An index by (sku, id) would spare that, and cost each order that is confirmed a
# tenth more of the database: its entries are all different, those by place are mostly the same.
_PAGE = database.Statement("""
SELECT id, sku, warehouse, delta, reason, reference, note, time FROM movements
WHERE sku = %(sku)s AND id < %(after)s ORDER BY id DESC LIMIT %(most)s
""")
_REBUILT = database.Statement("""
SELECT warehouse, coalesce(moved.on_hand, 0)::bigint, coalesce(held.reserved, 0)::bigint
FROM (SELECT warehouse, sum(delta) AS on_hand FROM movements WHERE sku = %(sku)s GROUP BY 1) AS moved
FULL JOIN (SELECT warehouse, sum(quantity) AS reserved FROM reservations
  WHERE sku = %(sku)s AND status = 'HELD' GROUP BY 1) AS held USING (warehouse)
""")
_RESET = database.Statement("""
UPDATE stock SET on_hand = %(on_hand)s, reserved = %(reserved)s WHERE sku = %(sku)s AND warehouse = %(warehouse)s
""")
# No id is greater: where a list begins that shows the newest first.
_LAST = 2**63 - 1


async def movements(db: database.Database, sku: str, page: pages.Page) -> list[history.Recorded]:
    """A SKU's movements, the newest first: up to one more than the page shows."""
    values = {"sku": sku, "after": int(page.after or _LAST), "most": page.size + 1}
    rows = await db.read(_PAGE, values)
    return [history.Recorded(row[0], domain.Movement(*row[1:7]), row[7]) for row in rows]


async def rebuilt(transaction: database.Transaction, sku: str) -> list[domain.Level]:
    """The stock of a SKU as its history says. Its rows are locked by `lock`, so that nobody adds to it meanwhile."""
    return [domain.Level(sku, *row) for row in await transaction.run(_REBUILT, {"sku": sku})]


async def reset(transaction: database.Transaction, level: domain.Level) -> None:
    """Set a locked place to what its history says."""
    values = {"sku": level.sku, "warehouse": level.warehouse, "on_hand": level.on_hand, "reserved": level.reserved}
    await transaction.run(_RESET, values)
