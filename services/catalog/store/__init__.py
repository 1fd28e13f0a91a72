"""The rows of products, which become domain values here and nowhere else. `cached` has the same values as bytes."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    bindparam,
    case,
    false,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from services.catalog import domain
from services.catalog.domain import timeline
from services.catalog.store import packing
from services.chassis import database, money, pages
from services.chassis.schema import ID, TIME

METADATA = MetaData()

CATEGORIES = Table(
    "categories",
    METADATA,
    Column("slug", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("parent", Text, ForeignKey("categories.slug"), nullable=True),
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
    Column("attributes", JSONB, nullable=False, server_default="{}"),
    Column("images", JSONB, nullable=False, server_default="[]"),
    Column("featured", Boolean, nullable=False, server_default=false()),
    Column("delete_time", TIME, nullable=True),
    Column("tax_class", Text, nullable=False, server_default=""),
    # How many units were ordered lately, as it was last published; `popularity` keeps the counts it is made of.
    Column("popularity", BigInteger, nullable=False, server_default="0"),
    # Uploaded images, the main one first.
    Column("gallery", JSONB, nullable=False, server_default="[]"),
    Index("ix_products_category", "category", "id"),
    Index("ix_products_vendor", "vendor_id", "id"),
    Index("ix_products_featured", "id", postgresql_where=text("featured AND delete_time IS NULL")),
)
Index(
    "ix_products_title",
    func.lower(PRODUCTS.c.title).label("title_lower"),
    postgresql_ops={"title_lower": "text_pattern_ops"},
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
    # While a promotion is on. Charged is the lower of this and the regular price.
    Column("promotional_price", BigInteger, nullable=True),
    Column("promotion_ends", TIME, nullable=True),
    # How a unit is packed: grams, and millimetres of its sides; null where nothing of it is known.
    Column("package", JSONB, nullable=True),
    # No longer for sale, and never another product's.
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Index("ix_variants_product", "product_id", "position"),
)
# How many units of each product count at `as_of`, and when they are looked at: `popularity`.
Table(
    "sales",
    METADATA,
    Column("product_id", ID, primary_key=True),
    Column("sold", Double, nullable=False),
    Column("as_of", TIME, nullable=False),
    Column("due_at", TIME, nullable=False),
    Index("ix_sales_due", "due_at"),
)

_C, _P, _V = CATEGORIES.c, PRODUCTS.c, VARIANTS.c
PRODUCT_COLUMNS = (
    *("id", "title", "description", "category", "vendor_id", "create_time", "update_time", "version"),
    *("attributes", "images", "featured", "tax_class", "gallery"),
)
_VARIANT_COLUMNS = ("sku", "product_id", "position", "title", "currency", "price", "package")
_INSERT_PRODUCTS = database.Statement(database.insert_given(PRODUCTS, *PRODUCT_COLUMNS))
_given_variants = database.insert_given(VARIANTS, *_VARIANT_COLUMNS)
# The SKU is the claim: of two products with the same one at the same moment one finds it taken. A product's own come back.
_PUT_VARIANTS = database.Statement(
    _given_variants.on_conflict_do_update(
        index_elements=[_V.sku],
        set_={
            "position": _given_variants.excluded.position,
            "title": _given_variants.excluded.title,
            "currency": _given_variants.excluded.currency,
            "price": _given_variants.excluded.price,
            "package": _given_variants.excluded.package,
            # A number of another currency is no price.
            "promotional_price": case((_V.currency == _given_variants.excluded.currency, _V.promotional_price)),
            "withdrawn": false(),
        },
        where=_V.product_id == _given_variants.excluded.product_id,
    ).returning(_V.sku)
)
_WITHDRAW = database.Statement("""
UPDATE variants SET withdrawn = true
WHERE product_id = %(product_id)s::uuid AND NOT withdrawn AND sku <> ALL(%(skus)s::text[])
""")
_LOCK = database.Statement("""
SELECT delete_time IS NOT NULL FROM products WHERE id = %(product_id)s::uuid FOR UPDATE
""")
_WRITE = database.Statement("""
UPDATE products SET title = %(title)s, description = %(description)s, category = %(category)s, attributes = %(attributes)s,
  images = %(images)s, featured = %(featured)s, tax_class = %(tax_class)s, gallery = %(gallery)s,
  update_time = %(update_time)s, version = %(version)s
WHERE id = %(id)s::uuid
""")
_DELETE = database.Statement("""
UPDATE products SET delete_time = %(now)s, update_time = %(now)s, version = %(version)s WHERE id = %(product_id)s::uuid
""")
PRODUCTS_SQL = """
SELECT p.id, p.title, p.description, p.category, p.vendor_id, p.create_time, p.update_time, p.version,
  p.attributes, p.images, p.featured, p.tax_class, p.gallery, p.popularity, p.delete_time,
  (SELECT json_agg(json_build_array(v.sku, v.title, v.currency, v.price, CASE WHEN v.promotional_price < v.price THEN
       json_build_array(v.promotional_price, v.promotion_ends, (
         SELECT json_agg(json_build_array(h.start_time, h.currency, h.price, h.promotional) ORDER BY h.id)
         FROM price_history AS h WHERE h.sku = v.sku AND NOT EXISTS (
           SELECT FROM price_history AS n WHERE n.sku = h.sku AND n.id > h.id AND n.change = h.change))) END,
       v.package) ORDER BY v.position)
   FROM variants AS v WHERE v.product_id = p.id AND NOT v.withdrawn)
FROM products AS p
"""
_BY_IDS = database.Lookup(f"{PRODUCTS_SQL} WHERE p.id = ANY(%(ids)s::uuid[]) AND p.delete_time IS NULL", by="ids")
_BY_IDS_DELETED_TOO = database.Lookup(f"{PRODUCTS_SQL} WHERE p.id = ANY(%(ids)s::uuid[])", by="ids")
_AFTER = database.Statement(
    f"{PRODUCTS_SQL} WHERE p.delete_time IS NULL AND p.id > %(after)s::uuid ORDER BY p.id LIMIT %(most)s"
)
_PAGE = "p.delete_time IS NULL AND p.id < %(before)s::uuid ORDER BY p.id DESC LIMIT %(most)s"
_CONDITIONS = {
    "categories": "p.category = ANY(%(categories)s::text[])",
    "vendor_id": "p.vendor_id = %(vendor_id)s::uuid",
    "title": "lower(p.title) LIKE lower(%(title)s)",
    "currency": """EXISTS (
        SELECT 1 FROM variants AS o
        WHERE o.product_id = p.id AND NOT o.withdrawn
          AND o.currency = %(currency)s AND least(o.price, o.promotional_price) BETWEEN %(low)s AND %(high)s)""",
    "featured": "p.featured",
}
_OFFERS = database.Lookup(
    select(
        *(_V.sku, _V.product_id, _P.title, _V.title, _V.currency, func.least(_V.price, _V.promotional_price)),
        *(_P.category, func.coalesce(_P.vendor_id.cast(Text), ""), _P.tax_class, _V.package),
    )
    .join(PRODUCTS, _P.id == _V.product_id)
    .where(_V.sku == bindparam("skus", type_=ARRAY(Text)).any_(), _V.withdrawn.is_(false()), _P.delete_time.is_(None)),
    by="skus",
)
_KNOWN_SKUS = database.Lookup("SELECT sku FROM variants WHERE sku = ANY(%(skus)s::text[])", by="skus")
_ALL_SKUS = database.Lookup("SELECT sku FROM variants WHERE product_id = ANY(%(ids)s::uuid[])", by="ids")
_CATEGORIES = database.Statement("SELECT slug, title, coalesce(parent, '') FROM categories ORDER BY slug")
# Against other changes of the tree; products that refer to it go on.
_LOCK_CATEGORIES = database.Statement("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE")
_given_category = insert(CATEGORIES)
_PUT_CATEGORY = database.Statement(
    _given_category.on_conflict_do_update(
        index_elements=[_C.slug],
        set_={"title": _given_category.excluded.title, "parent": _given_category.excluded.parent},
    )
)


@dataclass(frozen=True, slots=True)
class Held:
    """A product that nobody else changes until the transaction ends, and whether it was deleted before."""

    product: domain.Product
    deleted: bool


async def insert_product(transaction: database.Transaction, product: domain.Product) -> list[str]:
    """Write a new product: those of its SKUs that others have. When there are any the transaction must not commit."""
    await insert_products(transaction, [product])
    return await put_variants(transaction, [product])


async def insert_products(transaction: database.Transaction, products: Sequence[domain.Product]) -> None:
    """Write new products without their variants."""
    rows = database.columns(products, *PRODUCT_COLUMNS) | {
        "vendor_id": [product.vendor_id or None for product in products],
        "attributes": [Jsonb(dict(product.attributes)) for product in products],
        "images": [Jsonb(list(product.images)) for product in products],
        "gallery": [Jsonb(gallery_rows(product)) for product in products],
    }
    await transaction.run(_INSERT_PRODUCTS, rows)


async def write_product(transaction: database.Transaction, product: domain.Product) -> list[str]:
    """Write a product that was locked: those of its SKUs that others have, and then the transaction must not commit.

    Variants that it no longer has are withdrawn.
    """
    row = {name: getattr(product, name) for name in PRODUCT_COLUMNS}
    json_row = {"attributes": Jsonb(dict(product.attributes)), "images": Jsonb(list(product.images))}
    await transaction.run(_WRITE, row | json_row | {"gallery": Jsonb(gallery_rows(product))})
    taken = await put_variants(transaction, [product])
    if not taken:
        skus = [variant.sku for variant in product.variants]
        await transaction.run(_WITHDRAW, {"product_id": product.id, "skus": skus})
    return taken


async def put_variants(transaction: database.Transaction, products: Sequence[domain.Product]) -> list[str]:
    """Write the variants of products that are locked or new: those of their SKUs that others have."""
    # In one order, so that two products with SKUs in common wait for each other instead of deadlocking.
    variants = sorted(
        ((variant, position, product.id) for product in products for position, variant in enumerate(product.variants)),
        key=lambda item: item[0].sku,
    )
    skus = [variant.sku for variant, _, _ in variants]
    rows = {
        "sku": skus,
        "product_id": [product_id for _, _, product_id in variants],
        "position": [position for _, position, _ in variants],
        "title": [variant.title for variant, _, _ in variants],
        "currency": [variant.price.currency for variant, _, _ in variants],
        "price": [variant.price.amount for variant, _, _ in variants],
        "package": [packing.row(variant.package) for variant, _, _ in variants],
    }
    written = {row[0] for row in await transaction.run(_PUT_VARIANTS, rows)}
    return [sku for sku in skus if sku not in written]


async def delete_product(transaction: database.Transaction, product: domain.Product) -> None:
    """Mark a product that was locked as deleted, at its update_time and with its version."""
    row = {"product_id": product.id, "now": product.update_time, "version": product.version}
    await transaction.run(_DELETE, row)


async def lock_product(transaction: database.Transaction, product_id: str) -> Held | None:
    """The product with this id, also a deleted one. It is read after it is locked: with the variants of its last change."""
    rows = await transaction.run(_LOCK, {"product_id": product_id})
    if not rows:
        return None
    [row] = await transaction.run(_BY_IDS_DELETED_TOO, {"ids": [product_id]})
    return Held(product_of(row), deleted=rows[0][0])


async def lock_categories(transaction: database.Transaction) -> tuple[domain.Category, ...]:
    """All categories, by slug, which nobody else changes until the transaction ends."""
    await transaction.run(_LOCK_CATEGORIES)
    return tuple(domain.Category(*row) for row in await transaction.run(_CATEGORIES))


async def put_category(transaction: database.Transaction, category: domain.Category) -> None:
    """Make a category, or change its title and parent."""
    row = {"slug": category.slug, "title": category.title, "parent": category.parent or None}
    await transaction.run(_PUT_CATEGORY, row)


async def categories(db: database.Database) -> tuple[domain.Category, ...]:
    """All categories, by slug."""
    return tuple(domain.Category(*row) for row in await db.read(_CATEGORIES))


async def all_skus(db: database.Database, product_ids: Sequence[str]) -> list[str]:
    """All SKUs that these products have or had."""
    return [row[0] for row in await db.read(_ALL_SKUS, {"ids": list(product_ids)})]


async def known_skus(db: database.Database, skus: Sequence[str]) -> set[str]:
    """Those of the SKUs that some product has or had."""
    return {row[0] for row in await db.read(_KNOWN_SKUS, {"skus": list(skus)})}


async def products(
    db: database.Database, ids: Sequence[str], *, deleted_too: bool = False
) -> dict[str, domain.Product]:
    """These products, by id. Ids without a product are absent."""
    rows = await db.read(_BY_IDS_DELETED_TOO if deleted_too else _BY_IDS, {"ids": list(ids)})
    return {row[0]: product_of(row) for row in rows}


async def products_within(transaction: database.Transaction, ids: Sequence[str]) -> list[domain.Product]:
    """These products as a transaction sees them, without deleted ones, by id."""
    rows = await transaction.run(_BY_IDS, {"ids": list(ids)}) if ids else []
    return sorted((product_of(row) for row in rows), key=lambda product: product.id)


async def page(
    db: database.Database, wanted: domain.Filter, slugs: Sequence[str], place: pages.Page
) -> list[domain.Product]:
    """Products, newest first: up to one more than the page shows. slugs are those of the filter's category and below."""
    values: dict[str, Any] = {}
    if wanted.category:
        values["categories"] = list(slugs)
    if wanted.vendor_id:
        values["vendor_id"] = wanted.vendor_id
    if wanted.title_prefix:
        values["title"] = _begins(wanted.title_prefix)
    if wanted.prices:
        values |= {"currency": wanted.prices.currency, "low": wanted.prices.low, "high": wanted.prices.high}
    if wanted.featured:
        values["featured"] = True
    statement = _page_statement(tuple(name for name in _CONDITIONS if name in values))
    found = {"before": place.after or pages.LAST_ID, "most": place.size + 1}
    return [product_of(row) for row in await db.read(statement, values | found)]


async def products_after(db: database.Database, after: str, most: int) -> list[domain.Product]:
    """Products that are not deleted, oldest first, from behind the product `after` (empty: from the first) on."""
    return [product_of(row) for row in await db.read(_AFTER, {"after": after or pages.FIRST_ID, "most": most})]


@functools.cache
def _page_statement(conditions: tuple[str, ...]) -> database.Statement:
    """The statement of a page under these conditions: there are few combinations, and each is made once."""
    return database.Statement(
        f"{PRODUCTS_SQL} WHERE {' AND '.join([*(_CONDITIONS[name] for name in conditions), _PAGE])}"
    )


def _begins(prefix: str) -> str:
    """The pattern of texts that begin like this."""
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"


async def offers(db: database.Database, skus: Sequence[str]) -> dict[str, domain.Offer]:
    """What these SKUs cost, by SKU. SKUs that no product has are absent."""
    rows = await db.read(_OFFERS, {"skus": list(skus)})
    return {
        sku: domain.Offer(sku, product_id, domain.offer_title(title, variant), money.Money(currency, price), *others)
        for sku, product_id, title, variant, currency, price, *others in (
            (*row[:-1], packing.package(row[-1])) for row in rows
        )
    }


def product_of(
    row: Sequence[Any], reduced: Callable[[str, Any], timeline.Reduction | None] = timeline.reduction
) -> domain.Product:
    """The product in a row of `PRODUCTS_SQL`, or of the cache with what reads its reductions."""
    product_id, title, description, category, vendor_id, create_time, update_time, version, *others, variants = row
    attributes, images, featured, tax_class, gallery, popularity, delete_time = others
    return domain.Product(
        id=product_id,
        title=title,
        description=description,
        category=category,
        vendor_id=vendor_id or "",
        variants=tuple(
            domain.Variant(sku, name, money.Money(code, price), reduced(code, told), packing.package(packed))
            for sku, name, code, price, told, packed in variants
        ),
        create_time=create_time,
        update_time=update_time,
        version=version,
        attributes=attributes,
        images=tuple(images),
        featured=featured,
        tax_class=tax_class,
        popularity=popularity,
        delete_time=delete_time,
        gallery=tuple(domain.Image(*image) for image in gallery),
    )


def gallery_rows(product: domain.Product) -> list[tuple[object, ...]]:
    """Its uploaded images as they are kept."""
    return [dataclasses.astuple(image) for image in product.gallery]
