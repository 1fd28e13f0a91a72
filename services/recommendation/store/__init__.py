"""The rows of what is known: products, their stock, and the orders of which everything is counted. Counts are `counts.py`.

Locks are taken in one order: the model, then products by id and SKUs, then orders, then counts by their keys. So two consumers
and a build never wait for each other in a circle.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from services.chassis import database, money
from services.recommendation import domain

_MODEL = "SELECT slot, stage, after, after_order, recounted, since FROM model"
_READ_MODEL = database.Statement(_MODEL)
_COUNTING = database.Statement(f"{_MODEL} FOR SHARE")
_BUILDING = database.Statement(f"{_MODEL} FOR UPDATE")
_PUT_MODEL = database.Statement("""
UPDATE model SET slot = %(slot)s, stage = %(stage)s, after = %(after)s, after_order = %(after_order)s,
  recounted = %(recounted)s, since = CASE WHEN %(begun)s THEN clock_timestamp() ELSE since END
""")

_GIVEN = """
jsonb_to_recordset(%(products)s) AS g(product_id uuid, version bigint, deleted boolean, title text, category text, image text,
  currency text, amount bigint, featured boolean, create_time timestamptz, skus text[])
"""
# Only what is not there is inserted: a conflict would use up a number, and the catalog tells of each product often.
_NEW_PRODUCTS = database.Statement(f"""
INSERT INTO products (product_id, version, deleted, title, category, image, currency, amount, featured, create_time)
SELECT g.product_id, 0, true, '', '', '', '', 0, false, g.create_time FROM {_GIVEN}
WHERE NOT EXISTS (SELECT FROM products AS p WHERE p.product_id = g.product_id)
ORDER BY g.product_id
ON CONFLICT DO NOTHING
""")  # noqa: S608 - only texts of this module are put in
_NEWER_PRODUCTS = database.Statement(f"""
WITH locked AS (
  SELECT p.number FROM products AS p JOIN {_GIVEN} USING (product_id) WHERE p.version < g.version
  ORDER BY product_id FOR UPDATE OF p)
UPDATE products AS p SET version = g.version, deleted = g.deleted, title = g.title, category = g.category, image = g.image,
  currency = g.currency, amount = g.amount, featured = g.featured, create_time = g.create_time
FROM {_GIVEN}, locked AS l
WHERE p.product_id = g.product_id AND p.number = l.number AND p.version < g.version
RETURNING p.number
""")  # noqa: S608 - only texts of this module are put in
# Also of a version that is not the newest: orders may have a SKU that its product has no more.
_NEW_SKUS = database.Statement(f"""
INSERT INTO skus (sku, product, listed)
SELECT DISTINCT ON (s.sku) s.sku, p.number, false FROM {_GIVEN} JOIN products AS p USING (product_id), unnest(g.skus) AS s(sku)
WHERE NOT EXISTS (SELECT FROM skus AS k WHERE k.sku = s.sku)
ORDER BY s.sku
ON CONFLICT DO NOTHING
""")  # noqa: S608 - only texts of this module are put in
_LIST_SKUS = database.Statement(f"""
UPDATE skus AS k SET listed = (NOT g.deleted AND k.sku = ANY(g.skus))
FROM {_GIVEN} JOIN products AS p USING (product_id)
WHERE k.product = p.number AND p.number = ANY(%(numbers)s::integer[])
  AND k.listed <> (NOT g.deleted AND k.sku = ANY(g.skus))
""")  # noqa: S608 - only texts of this module are put in
_PUT_LEVELS = """
INSERT INTO levels AS l (sku, warehouse, available)
SELECT * FROM unnest(%(sku)s::text[], %(warehouse)s::text[], %(available)s::bigint[]) AS g(sku, warehouse, available)
ORDER BY 1, 2
ON CONFLICT {conflict}
"""
_TOLD_LEVELS = database.Statement(
    _PUT_LEVELS.format(conflict="(sku, warehouse) DO UPDATE SET available = excluded.available")
)
# What events told of is newer than what somebody read.
_READ_LEVELS = database.Statement(_PUT_LEVELS.format(conflict="DO NOTHING"))

_NUMBERS = database.Statement("SELECT sku, product FROM skus WHERE sku = ANY(%(skus)s::text[])")
_ADD_BASKETS = database.Statement("""
INSERT INTO baskets (order_id, user_id, time, skus, waiting)
SELECT g.order_id, CASE WHEN f.user_id IS NULL THEN g.user_id END, g.time, string_to_array(g.skus, ' '), g.waiting
FROM unnest(%(order_id)s::uuid[], %(user_id)s::uuid[], %(time)s::timestamptz[], %(skus)s::text[], %(waiting)s::boolean[])
  AS g(order_id, user_id, time, skus, waiting)
LEFT JOIN forgotten AS f ON f.user_id = g.user_id
ORDER BY g.order_id
ON CONFLICT DO NOTHING
RETURNING order_id
""")
_BASKET = "b.order_id, coalesce(b.user_id::text, ''), b.time, b.skus"
_WAITING = database.Statement(f"""
SELECT {_BASKET} FROM baskets AS b
WHERE b.waiting AND NOT EXISTS (
  SELECT FROM unnest(b.skus) AS s(sku) WHERE NOT EXISTS (SELECT FROM skus AS k WHERE k.sku = s.sku))
ORDER BY b.order_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
""")  # noqa: S608 - only texts of this module are put in
_WAIT_NO_MORE = database.Statement("UPDATE baskets SET waiting = false WHERE order_id = ANY(%(ids)s::uuid[])")
_BASKETS_AFTER = database.Statement(f"""
SELECT {_BASKET}, b.waiting FROM baskets AS b WHERE b.order_id > %(after)s ORDER BY b.order_id LIMIT %(most)s
""")  # noqa: S608 - only texts of this module are put in
_HISTORY = database.Statement("""
WITH lately AS (
  SELECT b.time, b.skus FROM baskets AS b WHERE b.user_id = %(user_id)s ORDER BY b.order_id DESC LIMIT %(most)s)
SELECT k.product, max(l.time) FROM lately AS l, unnest(l.skus) AS s(sku) JOIN skus AS k USING (sku)
GROUP BY k.product ORDER BY 2 DESC, 1
""")
_FORGET = database.Statement(
    "UPDATE baskets SET user_id = NULL WHERE user_id = ANY(%(users)s::uuid[]) RETURNING order_id"
)
_FORGOTTEN = database.Statement("""
INSERT INTO forgotten (user_id) SELECT DISTINCT u FROM unnest(%(users)s::uuid[]) AS g(u) ORDER BY u
ON CONFLICT (user_id) DO UPDATE SET time = clock_timestamp()
""")
_PURGE_BASKETS = database.Statement("""
DELETE FROM baskets WHERE order_id IN (
  SELECT order_id FROM baskets WHERE order_id < %(before)s::uuid ORDER BY order_id LIMIT %(most)s)
RETURNING 1
""")
_PURGE_FORGOTTEN = database.Statement("DELETE FROM forgotten WHERE time < %(before)s RETURNING 1")

_SELLABLE = """
NOT p.deleted AND EXISTS (
  SELECT FROM skus AS k JOIN levels AS l USING (sku) WHERE k.product = p.number AND k.listed AND l.available > 0)
"""
_CARDS = database.Statement(f"""
SELECT p.number, p.product_id, p.title, p.category, p.image, p.currency, p.amount FROM products AS p
WHERE p.number = ANY(%(numbers)s::integer[]) AND {_SELLABLE}
""")  # noqa: S608 - only texts of this module are put in
_NEWEST = database.Statement(f"""
SELECT p.number, p.featured FROM products AS p WHERE {_SELLABLE}
ORDER BY p.featured DESC, p.create_time DESC LIMIT %(most)s
""")  # noqa: S608 - only texts of this module are put in
_KNOWN = database.Statement("SELECT number, product_id, category FROM products WHERE product_id = ANY(%(ids)s::uuid[])")
_IDS = database.Statement("SELECT number, product_id FROM products WHERE number = ANY(%(numbers)s::integer[])")
_SIZES = database.Statement("""
SELECT (SELECT count(*) FROM products WHERE NOT deleted), (SELECT count(*) FROM baskets WHERE waiting)
""")

# What waits, and since when: orders for products that nobody told of.
QUEUES = database.Statement("""
SELECT 'waiting', count(*), extract(epoch FROM clock_timestamp() - min(time)) FROM baskets WHERE waiting
""")

READY, PRODUCTS, STOCK, ORDERS = "READY", "PRODUCTS", "STOCK", "ORDERS"


@dataclass(frozen=True, slots=True)
class Model:
    """Which slot is read, and how far the other one is made anew: its stage, and where the next page begins."""

    slot: int
    stage: str
    after: str
    after_order: str
    recounted: int
    since: datetime

    @property
    def building(self) -> bool:
        """Whether the other slot is being made."""
        return self.stage != READY

    def slots_of(self, order_id: str) -> tuple[int, ...]:
        """Where an order that is counted now belongs: also in the other slot, if its turn has passed there."""
        return (self.slot, 1 - self.slot) if self.building and order_id <= self.after_order else (self.slot,)


async def model(db: database.Database) -> Model:
    """The model as it is now."""
    return Model(*(await db.read(_READ_MODEL))[0])


async def counting(transaction: database.Transaction) -> Model:
    """The model, which no build takes further until the transaction ends; others may count meanwhile."""
    return Model(*(await transaction.run(_COUNTING))[0])


async def locked(transaction: database.Transaction) -> Model:
    """The model, which is this transaction's alone."""
    return Model(*(await transaction.run(_BUILDING))[0])


async def put_model(transaction: database.Transaction, reached: Model, *, begun: bool = False) -> None:
    """Write a locked model. begun: its state is another one from now on."""
    await transaction.run(_PUT_MODEL, {**{name: getattr(reached, name) for name in Model.__slots__}, "begun": begun})


async def put_products(transaction: database.Transaction, products: Sequence[domain.Product]) -> None:
    """Write products, each only if it is newer than what is there. There is one of each product."""
    rows = {"products": Jsonb([_row(product) for product in products])}
    await transaction.run(_NEW_PRODUCTS, rows)
    newer = await transaction.run(_NEWER_PRODUCTS, rows)
    await transaction.run(_NEW_SKUS, rows)
    if newer:
        await transaction.run(_LIST_SKUS, rows | {"numbers": [number for [number] in newer]})


async def put_levels(transaction: database.Transaction, levels: Sequence[domain.Level], *, read: bool = False) -> None:
    """Write levels of stock, one of each place. read: somebody read them, so what events told of is newer and stays."""
    statement = _READ_LEVELS if read else _TOLD_LEVELS
    await transaction.run(statement, database.columns(levels, "sku", "warehouse", "available"))


async def numbers(transaction: database.Transaction, skus: Iterable[str]) -> dict[str, int]:
    """The numbers of the products that these SKUs are of, as far as they are known."""
    rows = await transaction.run(_NUMBERS, {"skus": sorted(set(skus))})
    return dict(rows)


async def add_baskets(
    transaction: database.Transaction, baskets: Sequence[domain.Basket], waiting: Sequence[bool]
) -> set[str]:
    """Keep orders, each once: the ids of those that were not there. Whoever was forgotten is not named."""
    rows = database.columns(baskets, "order_id", "user_id", "time")
    rows["skus"] = [" ".join(basket.skus) for basket in baskets]
    return {order_id for [order_id] in await transaction.run(_ADD_BASKETS, rows | {"waiting": list(waiting)})}


async def resolvable(transaction: database.Transaction, *, most: int) -> list[domain.Basket]:
    """Orders that waited for products, and need not any more; nobody else has them until the transaction ends."""
    rows = await transaction.run(_WAITING, {"most": most})
    found = [_basket(row) for row in rows]
    if found:
        await transaction.run(_WAIT_NO_MORE, {"ids": [basket.order_id for basket in found]})
    return found


async def baskets_after(
    transaction: database.Transaction, order_id: str, *, most: int
) -> tuple[list[domain.Basket], str]:
    """The next orders that count, and the id of the last one that was looked at; empty after the last."""
    rows = await transaction.run(_BASKETS_AFTER, {"after": order_id, "most": most})
    return [_basket(row) for row in rows if not row[4]], rows[-1][0] if rows else ""


async def history(db: database.Database, user_id: str, *, orders: int) -> list[domain.Purchase]:
    """What is in somebody's last orders, the last first."""
    rows = await db.read(_HISTORY, {"user_id": user_id, "most": orders})
    return [domain.Purchase(*row) for row in rows]


async def forget(transaction: database.Transaction, users: Sequence[str]) -> int:
    """No order is anybody's of these any more, nor will one be: how many were."""
    await transaction.run(_FORGOTTEN, {"users": list(users)})
    return len(await transaction.run(_FORGET, {"users": list(users)}))


async def purge(db: database.Database, *, orders_before: str, forgotten_before: datetime, most: int) -> int:
    """Delete some orders below this id, and of the forgotten those of before this moment: how many rows."""
    rows = await db.read(_PURGE_BASKETS, {"before": orders_before, "most": most})
    return len(rows + await db.read(_PURGE_FORGOTTEN, {"before": forgotten_before}))


async def cards(db: database.Database, products: Iterable[int]) -> dict[int, domain.Card]:
    """Those of the products that can be ordered now, by number."""
    rows = await db.read(_CARDS, {"numbers": sorted(set(products))})
    return {
        number: domain.Card(number, product_id, title, category, image, money.Money(currency, amount))
        for number, product_id, title, category, image, currency, amount in rows
    }


async def newest(db: database.Database, *, most: int) -> list[tuple[int, bool]]:
    """Products that can be ordered, featured ones first, then the newest: number, and whether it is featured."""
    return [(number, featured) for number, featured in await db.read(_NEWEST, {"most": most})]


async def known(db: database.Database, product_id: str) -> tuple[int, str] | None:
    """The number and the category of a product, deleted or not; None for one that nobody told of."""
    rows = await db.read(_KNOWN, {"ids": [product_id]})
    return (rows[0][0], rows[0][2]) if rows else None


async def ids(db: database.Database, products: Iterable[int]) -> dict[int, str]:
    """The ids of products, by number."""
    wanted = sorted(set(products))
    return dict(await db.read(_IDS, {"numbers": wanted})) if wanted else {}


async def sizes(db: database.Database) -> tuple[int, int]:
    """How many products there are that are not deleted, and how many orders wait for products."""
    [row] = await db.read(_SIZES)
    return row[0], row[1]


def _basket(row: database.Row) -> domain.Basket:
    return domain.Basket(row[0], row[1], row[2], tuple(row[3]))


def _row(product: domain.Product) -> dict[str, object]:
    """A product as a row of `_GIVEN`."""
    return {
        "product_id": product.id,
        "version": product.version,
        "deleted": product.deleted,
        "title": product.title,
        "category": product.category,
        "image": product.image,
        "currency": product.price.currency if product.price else "",
        "amount": product.price.amount if product.price else 0,
        "featured": product.featured,
        "create_time": product.create_time.isoformat(),
        "skus": list(product.skus),
    }
