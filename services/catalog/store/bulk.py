"""The rows of imports and exports: many products in few statements, and the reports of imports.

Statements take a piece of a file at a time, so that the event loop turns between them; all are one transaction.
"""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from psycopg.types.json import Jsonb
from sqlalchemy import Column, Index, LargeBinary, Table

from services.catalog import domain, store
from services.catalog.domain import bulk
from services.chassis import database, pages
from services.chassis.schema import ID, TIME

AT_ONCE = 1000
Item = TypeVar("Item")

IMPORTS = Table(
    "imports",
    store.METADATA,
    Column("id", ID, primary_key=True),
    Column("results", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False),
    Index("ix_imports_time", "create_time"),
)
_INSERT_IMPORT = database.Statement("""
INSERT INTO imports (id, results, create_time) VALUES (%(id)s::uuid, %(results)s, %(now)s)
""")
_IMPORT = database.Statement("SELECT results FROM imports WHERE id = %(id)s::uuid")
_PURGE = database.Statement("""
DELETE FROM imports WHERE id IN (SELECT id FROM imports WHERE create_time < %(before)s ORDER BY create_time LIMIT 100)
RETURNING 1
""")
_OWNERS = database.Statement("SELECT sku, product_id FROM variants WHERE sku = ANY(%(skus)s::text[])")
# In the order in which everybody locks several products.
_LOCK = database.Statement("SELECT 1 FROM products WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE")
_LOCK_OWN = database.Statement("""
SELECT 1 FROM products WHERE id = ANY(%(ids)s::uuid[]) AND vendor_id = %(owner_id)s::uuid ORDER BY id FOR UPDATE
""")
_PRODUCTS = database.Statement(f"{store.PRODUCTS_SQL} WHERE p.id = ANY(%(ids)s::uuid[])")
_CHANGED = ("id", "title", "description", "category", "attributes", "images", "tax_class", "update_time", "version")
_UPDATE = database.Statement(f"""
UPDATE products AS p SET {", ".join(f"{name} = g.{name}" for name in _CHANGED[1:])}
FROM unnest(%(id)s::uuid[], %(title)s::text[], %(description)s::text[], %(category)s::text[], %(attributes)s::jsonb[],
  %(images)s::jsonb[], %(tax_class)s::text[], %(update_time)s::timestamptz[], %(version)s::bigint[])
  AS g({", ".join(_CHANGED)})
WHERE p.id = g.id
""")  # noqa: S608 - all parts are constants of this module
_AFTER = "p.delete_time IS NULL AND p.id > %(after)s::uuid"
_OF_VENDORS = "p.vendor_id = ANY(%(vendor_ids)s::uuid[])"
_LIMIT = "ORDER BY p.id LIMIT %(most)s"
_PAGE_OF_ALL = database.Statement(f"{store.PRODUCTS_SQL} WHERE {_AFTER} {_LIMIT}")
_PAGE_OF_VENDORS = database.Lookup(f"{store.PRODUCTS_SQL} WHERE {_AFTER} AND {_OF_VENDORS} {_LIMIT}", by="vendor_ids")
_COUNT = "SELECT count(*) FROM products AS p WHERE"
_COUNT_OF_ALL = database.Statement(f"{_COUNT} {_AFTER}")
_COUNT_OF_VENDORS = database.Lookup(f"{_COUNT} {_AFTER} AND {_OF_VENDORS}", by="vendor_ids")


async def owners(transaction: database.Transaction, skus: Sequence[str]) -> dict[str, str]:
    """Which product each of these SKUs is or was of. SKUs of no product are absent."""
    found: dict[str, str] = {}
    for some in _pieces(skus):
        rows = await transaction.run(_OWNERS, {"skus": list(some)})
        found.update((sku, product_id) for sku, product_id in rows)
    return found


async def lock(transaction: database.Transaction, product_ids: Sequence[str], owner_id: str | None) -> None:
    """Let nobody else change these products of this owner (None: anybody's) until the transaction ends. ids are sorted."""
    for some in _pieces(product_ids):
        if owner_id is None:
            await transaction.run(_LOCK, {"ids": list(some)})
        else:
            await transaction.run(_LOCK_OWN, {"ids": list(some), "owner_id": owner_id})


async def products(transaction: database.Transaction, product_ids: Sequence[str]) -> list[domain.Product]:
    """These products as the transaction sees them, deleted ones too, in no order."""
    found: list[domain.Product] = []
    for some in _pieces(product_ids):
        found += map(store.product_of, await transaction.run(_PRODUCTS, {"ids": list(some)}))
    return found


async def write(
    transaction: database.Transaction, made: Sequence[domain.Product], changed: Sequence[domain.Product]
) -> list[str]:
    """Write new products, and changed ones that are locked: those of their SKUs that others have.

    When there are any the transaction must not commit.
    """
    for some in _pieces(changed):
        rows = database.columns(some, *_CHANGED) | {
            "attributes": [Jsonb(dict(product.attributes)) for product in some],
            "images": [Jsonb(list(product.images)) for product in some],
        }
        await transaction.run(_UPDATE, rows)
    for some in _pieces(made):
        await store.insert_products(transaction, some)
    return await store.put_variants(transaction, [*made, *changed])


async def products_after(
    db: database.Database, after: str, vendor_ids: Sequence[str] | None, most: int
) -> list[domain.Product]:
    """Products that are not deleted, by id, from behind the product `after` on; of these vendors (None: everybody's)."""
    values = {"after": after or pages.FIRST_ID, "most": most}
    if vendor_ids is None:
        rows = await db.read(_PAGE_OF_ALL, values)
    else:
        rows = await db.read(_PAGE_OF_VENDORS, values | {"vendor_ids": vendor_ids})
    return [store.product_of(row) for row in rows]


async def count(db: database.Database, after: str, vendor_ids: Sequence[str] | None) -> int:
    """How many products `products_after` would find in all."""
    values = {"after": after or pages.FIRST_ID}
    if vendor_ids is None:
        [row] = await db.read(_COUNT_OF_ALL, values)
    else:
        [row] = await db.read(_COUNT_OF_VENDORS, values | {"vendor_ids": vendor_ids})
    return int(row[0])


async def insert_import(
    transaction: database.Transaction, import_id: str, results: Sequence[bulk.Result], now: datetime
) -> None:
    """Keep what became of the rows of a file that was applied."""
    rows = [(result.line, result.sku, result.outcome.value, result.product_id) for result in results]
    packed = zlib.compress(json.dumps(rows).encode())
    await transaction.run(_INSERT_IMPORT, {"id": import_id, "results": packed, "now": now})


async def results_of(transaction: database.Transaction, import_id: str) -> tuple[bulk.Result, ...]:
    """What became of the rows of an import that is kept; none when it is not any more."""
    rows = await transaction.run(_IMPORT, {"id": import_id})
    return tuple(
        bulk.Result(line, sku, bulk.Outcome(outcome), product_id)
        for packed in rows
        for line, sku, outcome, product_id in json.loads(zlib.decompress(packed[0]))
    )


async def purge(db: database.Database, before: datetime) -> int:
    """Forget imports of before this moment, up to some: how many."""
    return len(await db.read(_PURGE, {"before": before}))


def _pieces(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE)]
