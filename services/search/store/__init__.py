"""The rows of the read model: documents, stock, categories, indexes. Queries of searches are `postgres_engine.py`.

Locks are taken in one order: availability by SKU, then documents by slot and product. So a document and the stock of its SKUs,
which come from different topics, never miss each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from services.chassis import database
from services.search import domain, words

_LIVE = "(SELECT slot FROM indexes WHERE state <> 'RETIRED')"
_MAKE_AVAILABILITY = database.Statement("""
INSERT INTO availability (sku, available) SELECT sku, 0 FROM unnest(%(skus)s::text[]) AS g(sku) ORDER BY sku
ON CONFLICT DO NOTHING
""")
_LOCK_AVAILABILITY = database.Statement("""
SELECT 1 FROM availability WHERE sku = ANY(%(skus)s::text[]) ORDER BY sku FOR UPDATE
""")
# What is told of a product again, or late, changes nothing: only a newer version does. Popularity has no version, nor has the
# title of its category, which is in its terms.
_PUT_DOCUMENTS = database.Statement(f"""
INSERT INTO documents AS d (slot, product_id, version, deleted, title, title_words, description, category, vendor_id, image,
  attributes, skus, currencies, amounts, earlier, facets, in_stock, popularity, details, terms)
SELECT i.slot, g.product_id, g.version, g.deleted, g.title, g.title_words, g.description, g.category, g.vendor_id, g.image,
  g.attributes, g.skus, g.currencies, g.amounts, g.earlier, g.facets,
  EXISTS (SELECT FROM availability AS v WHERE v.sku = ANY(g.skus) AND v.available > 0), g.popularity,
  g.details, setweight(to_tsvector('souk', g.heading), 'A') || setweight(to_tsvector('souk', g.details), 'B')
    || setweight(to_tsvector('souk', g.numbers), 'C') || setweight(to_tsvector('souk', g.prose), 'D')
FROM jsonb_to_recordset(%(documents)s) AS g(product_id uuid, version bigint, deleted boolean, title text, title_words text,
    description text, category text, vendor_id uuid, image text, attributes jsonb, skus text[], currencies text[],
    amounts bigint[], earlier bigint[], facets text[], popularity bigint, heading text, details text, numbers text, prose text)
  CROSS JOIN {_LIVE} AS i
ORDER BY i.slot, g.product_id
ON CONFLICT (slot, product_id) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, title = excluded.title,
  title_words = excluded.title_words, description = excluded.description, category = excluded.category,
  vendor_id = excluded.vendor_id, image = excluded.image, attributes = excluded.attributes, skus = excluded.skus,
  currencies = excluded.currencies, amounts = excluded.amounts,
  earlier = excluded.earlier, facets = excluded.facets, in_stock = excluded.in_stock,
  popularity = excluded.popularity, details = excluded.details, terms = excluded.terms, changed = excluded.changed
WHERE d.version < excluded.version
  OR (d.version = excluded.version AND (d.popularity <> excluded.popularity OR d.terms <> excluded.terms))
RETURNING 1
""")  # noqa: S608 - only texts of this module are put in
_PUT_WORDS = database.Statement(f"""
INSERT INTO words (slot, word, stem)
SELECT i.slot, g.word, coalesce((ts_lexize('english_stem', g.word))[1], '')
FROM unnest(%(words)s::text[]) AS g(word) CROSS JOIN {_LIVE} AS i
ORDER BY i.slot, g.word
ON CONFLICT DO NOTHING
""")  # noqa: S608 - only texts of this module are put in
_PUT_LEVELS = database.Statement("""
INSERT INTO levels (sku, warehouse, available)
SELECT * FROM unnest(%(sku)s::text[], %(warehouse)s::text[], %(available)s::bigint[])
ON CONFLICT (sku, warehouse) DO UPDATE SET available = excluded.available
""")
# What events told of is newer than what somebody read.
_ADD_LEVELS = database.Statement("""
INSERT INTO levels (sku, warehouse, available)
SELECT * FROM unnest(%(sku)s::text[], %(warehouse)s::text[], %(available)s::bigint[])
ON CONFLICT DO NOTHING
""")
_SUM_LEVELS = database.Statement("""
UPDATE availability AS a SET available = l.available
FROM (SELECT sku, sum(greatest(available, 0)) AS available FROM levels WHERE sku = ANY(%(skus)s::text[]) GROUP BY sku) AS l
WHERE a.sku = l.sku AND a.available <> l.available
""")
_SHOW_STOCK = database.Statement(f"""
WITH now AS (
  SELECT d.slot, d.product_id,
    EXISTS (SELECT FROM availability AS v WHERE v.sku = ANY(d.skus) AND v.available > 0) AS in_stock
  FROM documents AS d WHERE d.skus && %(skus)s::text[] AND d.slot IN {_LIVE}),
locked AS (
  SELECT d.slot, d.product_id, n.in_stock FROM documents AS d JOIN now AS n USING (slot, product_id)
  WHERE d.in_stock <> n.in_stock ORDER BY d.slot, d.product_id FOR UPDATE OF d)
UPDATE documents AS d SET in_stock = l.in_stock, changed = pg_current_xact_id() FROM locked AS l
WHERE d.slot = l.slot AND d.product_id = l.product_id
RETURNING 1
""")  # noqa: S608 - only texts of this module are put in
_NEXT_GENERATION = database.Statement("""
UPDATE generation SET value = value + 1
WHERE shard = (SELECT shard FROM generation ORDER BY shard LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING 1
""")
_ONE_GENERATION_MORE = database.Statement("INSERT INTO generation (value) VALUES (1)")
# Transactions before the oldest one that is under way have ended: what they did is seen by whoever reads after this.
_MOMENT = database.Statement("""
SELECT (SELECT sum(value) FROM generation)::bigint,
  (SELECT count(*) || ' ' || coalesce(max(update_time)::text, '') FROM synonyms) AS synonyms,
  (SELECT version::text FROM indexes WHERE state = 'ACTIVE')
    || ' ' || (SELECT md5(coalesce(string_agg(c::text, '' ORDER BY slug), '')) FROM categories AS c),
  pg_snapshot_xmin(pg_current_snapshot())::text::bigint
""")

_CATEGORIES = database.Statement("SELECT slug, title, parent FROM categories ORDER BY slug")
_PUT_CATEGORIES = database.Statement("""
INSERT INTO categories AS c (slug, title, parent)
SELECT * FROM unnest(%(slug)s::text[], %(title)s::text[], %(parent)s::text[]) AS g(slug, title, parent) ORDER BY slug
ON CONFLICT (slug) DO UPDATE SET title = excluded.title, parent = excluded.parent
WHERE (c.title, c.parent) <> (excluded.title, excluded.parent)
RETURNING 1
""")
# Whoever writes documents by the titles that are there has ended before titles change, and others wait.
_USE_TITLES = database.Statement("LOCK TABLE renamed_categories IN ROW SHARE MODE")
_CHANGE_TITLES = database.Statement("LOCK TABLE renamed_categories IN EXCLUSIVE MODE")
_NOTE_RENAMED = database.Statement("""
INSERT INTO renamed_categories (slug)
SELECT g.slug FROM unnest(%(slug)s::text[], %(title)s::text[]) AS g(slug, title) LEFT JOIN categories AS c USING (slug)
WHERE c.title IS DISTINCT FROM g.title ORDER BY g.slug
ON CONFLICT (slug) DO UPDATE SET after_product = ''
""")

_STEMS = database.Statement("""
SELECT word, coalesce((ts_lexize('english_stem', word))[1], '') FROM unnest(%(words)s::text[]) AS g(word)
""")

_INDEX = database.Statement("""
SELECT a.version, (SELECT count(*) FROM documents AS d WHERE d.slot = a.slot AND NOT d.deleted), b.version IS NOT NULL,
  coalesce(b.products_read, 0), coalesce(b.since, a.since)
FROM indexes AS a LEFT JOIN indexes AS b ON b.state = 'BUILDING' WHERE a.state = 'ACTIVE'
""")
_LOCK_INDEXES = database.Statement("LOCK TABLE indexes IN SHARE ROW EXCLUSIVE MODE")
_FREE_SLOT = database.Statement("""
SELECT CASE slot WHEN 'a' THEN 'b' ELSE 'a' END FROM indexes
WHERE state = 'ACTIVE' AND NOT EXISTS (SELECT FROM indexes WHERE state = 'BUILDING')
""")
_CLEAR = {slot: database.Statement(f"TRUNCATE documents_{slot}") for slot in ("a", "b")}
_CLEAR_WORDS = database.Statement("DELETE FROM words WHERE slot = %(slot)s")
_CLEAR_PUSHES = database.Statement("DELETE FROM pushes WHERE slot = %(slot)s")
_FORGET_RETIRED = database.Statement("DELETE FROM indexes WHERE state = 'RETIRED' AND slot = %(slot)s")
_BEGIN = database.Statement("""
INSERT INTO indexes (version, slot, state, mirror) SELECT max(version) + 1, %(slot)s, 'BUILDING', %(mirror)s FROM indexes
""")
_BUILD = """
SELECT version, after_product, products_done, after_stock, mirror, complete_at IS NOT NULL FROM indexes
WHERE state = 'BUILDING'
"""
_BUILD_NOW = database.Statement(_BUILD)
_LOCK_BUILD = database.Statement(f"{_BUILD} FOR UPDATE")
_ADVANCE = database.Statement("""
UPDATE indexes SET after_product = %(after_product)s, products_done = %(products_done)s, after_stock = %(after_stock)s,
  products_read = products_read + %(read)s
WHERE version = %(version)s
""")
_COMPLETE = database.Statement("""
UPDATE indexes SET complete_at = (SELECT last_value FROM document_revisions) WHERE version = %(version)s
""")
_RETIRE = database.Statement("UPDATE indexes SET state = 'RETIRED' WHERE state = 'ACTIVE'")
_ACTIVATE = database.Statement("""
UPDATE indexes SET state = 'ACTIVE', since = clock_timestamp() WHERE version = %(version)s
""")


@dataclass(frozen=True, slots=True)
class Moment:
    """The generation of what can be found; and texts that are others when synonyms, or categories or the index, are others.

    horizon is a transaction: all before it have ended, and what they changed is seen by who reads later.
    """

    generation: int
    synonyms: str
    shelves: str
    horizon: int

    @property
    def meaning(self) -> str:
        """Another one when a search may mean something else, or another index is searched."""
        return f"{self.shelves} {self.synonyms}"


@dataclass(frozen=True, slots=True)
class Build:
    """How far the build of an index is: where its next page begins, of products and then of stock.

    mirror names its mirror, empty without one. complete: it has read everything, and waits for its mirror.
    """

    version: int
    after_product: str = ""
    products_done: bool = False
    after_stock: str = ""
    mirror: str = ""
    complete: bool = False


async def lock_skus(transaction: database.Transaction, skus: Iterable[str]) -> None:
    """Nobody else changes the stock of these SKUs, nor a document that has them, until the transaction ends."""
    wanted = {"skus": sorted(set(skus))}
    await transaction.run(_MAKE_AVAILABILITY, wanted)
    await transaction.run(_LOCK_AVAILABILITY, wanted)


async def put_products(
    transaction: database.Transaction, products: Sequence[domain.Product], titles: dict[str, str]
) -> int:
    """Write products into every index in use, each only if it is newer than what is there: how many documents changed.

    There is one of each product, and their SKUs are locked. titles are those of categories, by slug.
    """
    rows = [_document(product, titles.get(product.category, "")) for product in products]
    changed = await transaction.run(_PUT_DOCUMENTS, {"documents": Jsonb(rows)})
    if changed:
        found = sorted({word for row in rows for word in f"{row['heading']} {row['details']}".split()})
        await transaction.run(_PUT_WORDS, {"words": found})
    return len(changed)


async def put_levels(transaction: database.Transaction, levels: Sequence[domain.Level], *, read: bool = False) -> int:
    """Write levels of stock, one of each place, whose SKUs are locked: how many documents changed because of it.

    read: somebody read them, so what events told of is newer and stays.
    """
    skus = sorted({level.sku for level in levels})
    statement = _ADD_LEVELS if read else _PUT_LEVELS
    await transaction.run(statement, database.columns(levels, "sku", "warehouse", "available"))
    await transaction.run(_SUM_LEVELS, {"skus": skus})
    return len(await transaction.run(_SHOW_STOCK, {"skus": skus}))


async def next_generation(transaction: database.Transaction) -> None:
    """Results of before this commit are not shown after it."""
    if not await transaction.run(_NEXT_GENERATION):
        await transaction.run(_ONE_GENERATION_MORE)


async def moment(db: database.Database) -> Moment:
    """What changes whenever a commit changes what a search finds."""
    [row] = await db.read(_MOMENT)
    return Moment(*row)


async def categories(db: database.Database) -> tuple[domain.Category, ...]:
    """All categories that are known, by slug."""
    return tuple(domain.Category(*row) for row in await db.read(_CATEGORIES))


async def category_titles(transaction: database.Transaction) -> dict[str, str]:
    """The titles of all categories, by slug; they stay what they are until the transaction ends."""
    await transaction.run(_USE_TITLES)
    return {slug: title for slug, title, _ in await transaction.run(_CATEGORIES)}


async def put_categories(transaction: database.Transaction, known: Sequence[domain.Category]) -> int:
    """Write categories: how many are new or changed. Those with another title than before are `renamed` from then on."""
    rows = database.columns(known, "slug", "title", "parent")
    await transaction.run(_CHANGE_TITLES)
    await transaction.run(_NOTE_RENAMED, {"slug": rows["slug"], "title": rows["title"]})
    return len(await transaction.run(_PUT_CATEGORIES, rows))


async def stems_of(db: database.Database, some: Sequence[str]) -> dict[str, str]:
    """The stem of each word; empty for words that say nothing."""
    return {word: stem or word for word, stem in await db.read(_STEMS, {"words": list(some)})} if some else {}


async def index(db: database.Database) -> domain.IndexState:
    """The index that is searched, and the one that is being built."""
    [row] = await db.read(_INDEX)
    version, products, building, read, since = row
    assert isinstance(since, datetime)  # noqa: S101 - tells the type checker what the driver returns
    return domain.IndexState(version, products, building, read, since)


async def begin_build(transaction: database.Transaction, *, mirror: str = "") -> bool:
    """Begin to build an index in the free slot, with this mirror, unless one is being built: whether it was begun."""
    await transaction.run(_LOCK_INDEXES)
    rows = await transaction.run(_FREE_SLOT)
    if not rows:
        return False
    slot = {"slot": rows[0][0]}
    await transaction.run(_CLEAR[rows[0][0]])
    await transaction.run(_CLEAR_WORDS, slot)
    await transaction.run(_CLEAR_PUSHES, slot)
    await transaction.run(_BEGIN, slot | {"mirror": mirror})
    await transaction.run(_FORGET_RETIRED, slot)
    return True


async def build(db: database.Database) -> Build | None:
    """The build that is under way."""
    rows = await db.read(_BUILD_NOW)
    return Build(*rows[0]) if rows else None


async def lock_build(transaction: database.Transaction) -> Build | None:
    """The build that is under way, which nobody else advances until the transaction ends."""
    rows = await transaction.run(_LOCK_BUILD)
    return Build(*rows[0]) if rows else None


async def advance(transaction: database.Transaction, reached: Build, *, read: int) -> None:
    """Say how far a locked build is, and how many more products it has read."""
    row = {"version": reached.version, "after_product": reached.after_product, "after_stock": reached.after_stock}
    await transaction.run(_ADVANCE, row | {"products_done": reached.products_done, "read": read})


async def complete(transaction: database.Transaction, version: int) -> None:
    """A locked build has read everything; it is searched when its mirror has it all, too."""
    await transaction.run(_COMPLETE, {"version": version})


async def switch(transaction: database.Transaction, version: int) -> None:
    """Search this index from now on."""
    await transaction.run(_RETIRE)
    await transaction.run(_ACTIVATE, {"version": version})


def _document(product: domain.Product, category_title: str) -> dict[str, object]:
    """A product as a row of `_PUT_DOCUMENTS`; its texts come folded, so that the database splits them where we do."""
    variants = product.variants
    heading = " ".join(words.words_of(product.title))
    shelf = product.category.replace("-", " ")
    details = (*product.attributes.values(), *(variant.title for variant in variants), shelf, category_title)
    return {
        "product_id": product.id,
        "version": product.version,
        "deleted": product.deleted,
        "title": product.title,
        "title_words": heading,
        "description": product.description,
        "category": product.category,
        "vendor_id": product.vendor_id or None,
        "image": product.image,
        "attributes": dict(product.attributes),
        "skus": product.skus,
        "currencies": [variant.price.currency for variant in variants],
        "amounts": [variant.price.amount for variant in variants],
        "earlier": [variant.earlier.amount if variant.earlier else 0 for variant in variants],
        "facets": [f"attributes.{name}:{value}" for name, value in product.attributes.items()],
        "popularity": product.popularity,
        "heading": heading,
        "details": " ".join(words.words_of(" ".join(details))),
        "numbers": " ".join(words.words_of(" ".join(product.skus))),
        "prose": " ".join(words.words_of(product.description)),
    }
