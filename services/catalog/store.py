"""The rows of products, and the same values as bytes for the cache. They become domain values here and nowhere else."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID, insert

from services.catalog import domain
from services.chassis import database, money, pages

METADATA = MetaData()
ID = UUID(as_uuid=False)
TIME = DateTime(timezone=True)

CATEGORIES = Table(
    "categories",
    METADATA,
    Column("slug", Text, primary_key=True),
    Column("title", Text, nullable=False),
)
PRODUCTS = Table(
    "products",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("category", Text, ForeignKey("categories.slug"), nullable=False),
    Column("vendor_id", ID, nullable=True),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_products_category", "category", "id"),
)
VARIANTS = Table(
    "variants",
    METADATA,
    Column("sku", Text, primary_key=True),
    Column("product_id", ID, ForeignKey("products.id"), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    UniqueConstraint("product_id", "position", name="uq_variants_position"),
)

_C, _P, _V = CATEGORIES.c, PRODUCTS.c, VARIANTS.c
_PRODUCT_COLUMNS = ("id", "title", "description", "category", "vendor_id", "create_time", "update_time", "version")
_VARIANT_COLUMNS = ("sku", "product_id", "position", "title", "currency", "price")
_INSERT_PRODUCTS = database.Statement(database.insert_given(PRODUCTS, *_PRODUCT_COLUMNS))
# The SKU is the claim: of two products with the same one at the same moment one finds it taken.
_INSERT_VARIANTS = database.Statement(
    database.insert_given(VARIANTS, *_VARIANT_COLUMNS).on_conflict_do_nothing(index_elements=[_V.sku]).returning(_V.sku)
)
_PRODUCTS = """
SELECT p.id, p.title, p.description, p.category, p.vendor_id, p.create_time, p.update_time, p.version,
  (SELECT json_agg(json_build_array(v.sku, v.title, v.currency, v.price) ORDER BY v.position)
   FROM variants AS v WHERE v.product_id = p.id)
FROM products AS p
"""
_BY_IDS = database.Statement(f"{_PRODUCTS} WHERE p.id = ANY(%(ids)s::uuid[])")
_PAGE = database.Statement(f"{_PRODUCTS} WHERE p.id < %(before)s::uuid ORDER BY p.id DESC LIMIT %(most)s")
_PAGE_OF_CATEGORY = database.Statement(f"""
{_PRODUCTS} WHERE p.category = %(category)s AND p.id < %(before)s::uuid ORDER BY p.id DESC LIMIT %(most)s
""")
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_OFFERS = database.Statement(
    select(_V.sku, _V.product_id, _P.title, _V.title, _V.currency, _V.price)
    .join(PRODUCTS, _P.id == _V.product_id)
    .where(_V.sku == bindparam("skus", type_=ARRAY(Text)).any_())
)
_KNOWN_CATEGORIES = database.Statement(select(_C.slug).where(_C.slug == bindparam("slugs", type_=ARRAY(Text)).any_()))
_CATEGORIES = database.Statement(select(_C.slug, _C.title).order_by(_C.slug))
_given_category = insert(CATEGORIES)
_PUT_CATEGORY = database.Statement(
    _given_category.on_conflict_do_update(index_elements=[_C.slug], set_={"title": _given_category.excluded.title})
)


async def insert_product(transaction: database.Transaction, product: domain.Product) -> list[str]:
    """Write a new product: those of its SKUs that others have. When there are any the transaction must not commit."""
    row = database.columns([product], *_PRODUCT_COLUMNS) | {"vendor_id": [product.vendor_id or None]}
    await transaction.run(_INSERT_PRODUCTS, row)
    # In one order, so that two products with SKUs in common wait for each other instead of deadlocking.
    variants = sorted(enumerate(product.variants), key=lambda item: item[1].sku)
    skus = [variant.sku for _, variant in variants]
    rows = {
        "sku": skus,
        "product_id": [product.id] * len(variants),
        "position": [position for position, _ in variants],
        "title": [variant.title for _, variant in variants],
        "currency": [variant.price.currency for _, variant in variants],
        "price": [variant.price.amount for _, variant in variants],
    }
    written = {row[0] for row in await transaction.run(_INSERT_VARIANTS, rows)}
    return [sku for sku in skus if sku not in written]


async def known_categories(transaction: database.Transaction, slugs: Iterable[str]) -> set[str]:
    """Those of the slugs that are categories. A category that exists stays."""
    return {row[0] for row in await transaction.run(_KNOWN_CATEGORIES, {"slugs": list(slugs)})}


async def put_category(db: database.Database, category: domain.Category) -> None:
    """Make a category, or change its title."""
    await db.read(_PUT_CATEGORY, {"slug": category.slug, "title": category.title})


async def categories(db: database.Database) -> tuple[domain.Category, ...]:
    """All categories, by slug."""
    return tuple(domain.Category(*row) for row in await db.read(_CATEGORIES))


async def products(db: database.Database, ids: Sequence[str]) -> dict[str, domain.Product]:
    """These products, by id. Ids without a product are absent."""
    rows = await db.read(_BY_IDS, {"ids": list(ids)})
    return {row[0]: _product(row) for row in rows}


async def page(db: database.Database, category: str, wanted: pages.Page) -> list[domain.Product]:
    """Products of a category (of all when it is empty), newest first: up to one more than the page shows."""
    place = {"before": wanted.after or _LAST_ID, "most": wanted.size + 1}
    if category:
        rows = await db.read(_PAGE_OF_CATEGORY, {"category": category, **place})
    else:
        rows = await db.read(_PAGE, place)
    return [_product(row) for row in rows]


async def offers(db: database.Database, skus: Sequence[str]) -> dict[str, domain.Offer]:
    """What these SKUs cost, by SKU. SKUs that no product has are absent."""
    rows = await db.read(_OFFERS, {"skus": list(skus)})
    return {
        sku: domain.Offer(sku, product_id, domain.offer_title(title, variant), money.Money(currency, price))
        for sku, product_id, title, variant, currency, price in rows
    }


def pack_product(product: domain.Product) -> bytes:
    """A product for the cache."""
    plain = [getattr(product, name) for name in _PRODUCT_COLUMNS]
    variants = [(item.sku, item.title, item.price.currency, item.price.amount) for item in product.variants]
    return json.dumps([*plain, variants], default=datetime.isoformat).encode()


def unpack_product(data: bytes) -> domain.Product:
    """A product of the cache. Raises ValueError or TypeError."""
    product_id, title, description, category, vendor_id, created, updated, version, variants = json.loads(data)
    times = datetime.fromisoformat(created), datetime.fromisoformat(updated)
    return _product((product_id, title, description, category, vendor_id, *times, version, variants))


def pack_offer(offer: domain.Offer) -> bytes:
    """An offer for the cache."""
    return json.dumps([offer.sku, offer.product_id, offer.title, offer.price.currency, offer.price.amount]).encode()


def unpack_offer(data: bytes) -> domain.Offer:
    """An offer of the cache. Raises ValueError or TypeError."""
    sku, product_id, title, currency, price = json.loads(data)
    return domain.Offer(sku, product_id, title, money.Money(currency, price))


def pack_categories(known: Sequence[domain.Category]) -> bytes:
    """The list of categories for the cache."""
    return json.dumps([(category.slug, category.title) for category in known]).encode()


def unpack_categories(data: bytes) -> tuple[domain.Category, ...]:
    """The list of categories of the cache. Raises ValueError or TypeError."""
    return tuple(domain.Category(*row) for row in json.loads(data))


def _product(row: Sequence[Any]) -> domain.Product:
    product_id, title, description, category, vendor_id, create_time, update_time, version, variants = row
    return domain.Product(
        id=product_id,
        title=title,
        description=description,
        category=category,
        vendor_id=vendor_id or "",
        variants=tuple(domain.Variant(sku, name, money.Money(code, price)) for sku, name, code, price in variants),
        create_time=create_time,
        update_time=update_time,
        version=version,
    )
