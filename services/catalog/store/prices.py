"""The rows of prices over time: `promotional_prices` (what promotion scheduled) and `price_history` (what was charged).

A row of the history is appended by the database itself whenever what a SKU costs changes, whoever changes it: see the
migration. Locks are taken in one order: products by id, then what belongs to them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Table, Text, text

from services.catalog import store
from services.catalog.domain import timeline
from services.chassis import database, money, pages
from services.chassis.schema import ID, TIME

PROMOTIONAL_PRICES = Table(
    "promotional_prices",
    store.METADATA,
    Column("id", ID, primary_key=True),
    Column("product_id", ID, nullable=False),
    Column("sku", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("start_time", TIME, nullable=False),
    Column("end_time", TIME, nullable=True),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_time", TIME, nullable=True),
    Index("ix_promotional_prices_due", "due_time", postgresql_where=text("due_time IS NOT NULL")),
    Index("ix_promotional_prices_active", "product_id", postgresql_where=text("state = 'ACTIVE'")),
)
PRICE_HISTORY = Table(
    "price_history",
    store.METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("product_id", ID, nullable=False),
    Column("sku", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("promotional", Boolean, nullable=False),
    Column("start_time", TIME, nullable=False),
    Column("change", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
    Index("ix_price_history_sku", "sku", "id"),
    Index("ix_price_history_product", "product_id", "id"),
)
_LOCK = database.Statement("SELECT id FROM products WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE")
_COLUMNS = ("id", "product_id", "sku", "currency", "price", "start_time", "end_time", "version")
# What is heard late or again changes nothing. One that has ended stays ended.
_PUT = database.Statement(f"""
INSERT INTO promotional_prices AS p ({", ".join(_COLUMNS)}, state, due_time)
SELECT {", ".join(_COLUMNS)}, 'SCHEDULED', least(start_time, end_time)
FROM unnest(%(id)s::uuid[], %(product_id)s::uuid[], %(sku)s::text[], %(currency)s::text[], %(price)s::bigint[],
  %(start_time)s::timestamptz[], %(end_time)s::timestamptz[], %(version)s::bigint[]) AS g({", ".join(_COLUMNS)})
ON CONFLICT (id) DO UPDATE SET end_time = excluded.end_time, version = excluded.version,
  due_time = CASE WHEN p.state = 'ENDED' THEN NULL WHEN p.state = 'ACTIVE' THEN excluded.end_time ELSE excluded.due_time END
WHERE p.version < excluded.version
""")  # noqa: S608 - all parts are constants of this module
# A product that somebody changes just now is taken in the next turn.
_CLAIM = database.Statement("""
WITH due AS (
  SELECT DISTINCT product_id FROM (
    SELECT product_id FROM promotional_prices WHERE due_time <= clock_timestamp() ORDER BY due_time LIMIT %(most)s) AS oldest)
SELECT p.id, clock_timestamp() FROM products AS p JOIN due ON due.product_id = p.id ORDER BY p.id FOR UPDATE OF p SKIP LOCKED
""")
_TURN = database.Statement("""
UPDATE promotional_prices SET
  state = CASE WHEN end_time <= %(now)s THEN 'ENDED' ELSE 'ACTIVE' END,
  due_time = CASE WHEN end_time <= %(now)s THEN NULL ELSE end_time END
WHERE product_id = ANY(%(ids)s::uuid[]) AND due_time <= %(now)s
""")
# The products' SKUs cost what the lowest promotional price says; of equal ones the one that lasts longest.
_APPLY = database.Statement("""
UPDATE variants AS v SET promotional_price = n.price, promotion_ends = n.end_time
FROM (
  SELECT o.sku, lowest.price, lowest.end_time
  FROM variants AS o LEFT JOIN LATERAL (
    SELECT p.price, p.end_time FROM promotional_prices AS p
    WHERE p.product_id = o.product_id AND p.state = 'ACTIVE' AND p.currency = o.currency AND p.sku IN ('', o.sku)
    ORDER BY p.price, p.end_time DESC NULLS FIRST LIMIT 1) AS lowest ON true
  WHERE o.product_id = ANY(%(ids)s::uuid[])) AS n
WHERE v.sku = n.sku AND (v.promotional_price, v.promotion_ends) IS DISTINCT FROM (n.price, n.end_time)
RETURNING v.product_id
""")
_NEXT_VERSION = database.Statement("""
UPDATE products SET version = version + 1, update_time = greatest(update_time, %(now)s)
WHERE id = ANY(%(ids)s::uuid[]) AND delete_time IS NULL
""")
_HISTORY = """
SELECT h.id, h.sku, h.start_time, h.currency, h.price, h.promotional,
  (SELECT n.start_time FROM price_history AS n WHERE n.sku = h.sku AND n.id > h.id ORDER BY n.id LIMIT 1)
FROM price_history AS h WHERE h.product_id = %(product_id)s::uuid AND h.id < %(before)s
  AND NOT EXISTS (SELECT FROM price_history AS n WHERE n.sku = h.sku AND n.id > h.id AND n.change = h.change)
"""
_LATEST = "ORDER BY h.id DESC LIMIT %(most)s"
_OF_PRODUCT = database.Statement(f"{_HISTORY} {_LATEST}")
_OF_SKU = database.Statement(f"{_HISTORY} AND h.sku = %(sku)s {_LATEST}")
_NEWEST = 2**63 - 1
QUEUES = database.Statement("""
SELECT 'promotional_prices', count(*), extract(epoch FROM clock_timestamp() - min(due_time))
FROM promotional_prices WHERE due_time <= clock_timestamp()
""")


async def put(transaction: database.Transaction, scheduled: Sequence[timeline.Scheduled]) -> None:
    """Write what was scheduled or withdrawn, one of each id. Products that nobody knows are left out."""
    wanted = sorted({item.product_id for item in scheduled})
    known = {row[0] for row in await transaction.run(_LOCK, {"ids": wanted})}
    kept = [item for item in scheduled if item.product_id in known]
    plain = database.columns(kept, *(name for name in _COLUMNS if name not in ("currency", "price")))
    amounts = database.columns([item.price for item in kept], "currency", "amount")
    await transaction.run(_PUT, plain | {"currency": amounts["currency"], "price": amounts["amount"]})


async def claim(transaction: database.Transaction, most: int) -> tuple[list[str], datetime | None]:
    """Products of which a promotional price starts or ends, locked, and the moment that counts for all of them."""
    rows = await transaction.run(_CLAIM, {"most": most})
    return [row[0] for row in rows], max((row[1] for row in rows), default=None)


async def turn(transaction: database.Transaction, product_ids: Sequence[str], now: datetime) -> list[str]:
    """Start and end the promotional prices of locked products as of this moment: the products whose prices changed.

    They have their next version then, unless they are deleted.
    """
    await transaction.run(_TURN, {"ids": product_ids, "now": now})
    changed = await apply(transaction, product_ids)
    if changed:
        await transaction.run(_NEXT_VERSION, {"ids": changed, "now": now})
    return changed


async def apply(transaction: database.Transaction, product_ids: Iterable[str]) -> list[str]:
    """Charge what the promotional prices of locked products say, also for SKUs that they did not have: those that changed."""
    return sorted({row[0] for row in await transaction.run(_APPLY, {"ids": list(product_ids)})})


async def history(db: database.Database, product_id: str, sku: str, page: pages.Page) -> list[timeline.Period]:
    """What a product's SKUs (empty: all of them) cost, newest first: up to one more than the page shows."""
    values = {"product_id": product_id, "before": int(page.after or _NEWEST), "most": page.size + 1}
    rows = await db.read(_OF_SKU, values | {"sku": sku}) if sku else await db.read(_OF_PRODUCT, values)
    return [_period(row) for row in rows]


def _period(row: database.Row) -> timeline.Period:
    number, sku, start_time, currency, price, promotional, end_time = row
    begun = timeline.Begun(start_time, money.Money(currency, price), promotional)
    return timeline.Period(number, sku, begun, end_time)
