"""A search on a real database and a real node of OpenSearch: what it is told of, and where its builds read.

Tests that ask for `search` run with both engines, those that ask for `record` with PostgreSQL alone, and those that ask for
`mirrored` with OpenSearch.
"""

import dataclasses
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio

from services.chassis import cache, clock, database, ids, money, pages
from services.search import answers, domain, postgres_engine, pushes, usecases
from services.search.domain import Category, Filters, Level, Product, Query, Sort, Variant
from services.search.opensearch_engine import cluster, engine, mirror, selecting
from services.search.settings import OpenSearchSettings
from tests.support import opensearch

TABLES = "documents, words, levels, availability, synonyms, categories, renamed_categories, pushes"
# Each product of a test is newer than the one before.
_AGE = itertools.count()
SHELVES = [Category("home", "Home"), Category("chairs", "Chairs", "home"), Category("lamps", "Lamps", "home")]


@dataclass
class Shop:
    """Stands where catalog and inventory are: ports of the use cases, with pages of two."""

    products: list[Product] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    shelves: list[Category] = field(default_factory=lambda: list(SHELVES))

    async def products_after(self, product_id: str) -> Sequence[Product]:
        return [product for product in sorted(self.products, key=lambda p: p.id) if product.id > product_id][:2]

    async def levels_page(self, token: str) -> tuple[Sequence[Level], str]:
        start = int(token or 0)
        return self.levels[start : start + 2], str(start + 2) if len(self.levels) > start + 2 else ""

    async def products_by_id(self, product_ids: Sequence[str]) -> Sequence[Product]:
        return [product for product in self.products if product.id in product_ids]

    async def categories(self) -> Sequence[Category]:
        return self.shelves


@dataclass
class Search:
    """The use cases, and what tests ask of them."""

    db: database.Database
    shop: Shop
    index: usecases.Index
    searches: usecases.Searches
    synonyms: usecases.Synonyms
    kept: mirror.Mirror | None = None
    settings: OpenSearchSettings = field(default_factory=lambda: OpenSearchSettings(url=""))

    async def told(self, *what: Product | Level) -> None:
        """It hears of these in one transaction, as of a wave of events, and searches find it."""
        async with self.db.transaction() as transaction:
            await self.index.hear(transaction, what)
        await self.pushed()

    async def pushed(self) -> None:
        """The mirror, if there is one, has everything."""
        while self.kept and await self.kept.push():
            pass

    async def built(self) -> None:
        """Every step of a build is done."""
        while await self.index.build():
            await self.pushed()

    async def find(self, text: str = "", *, size: int = 20, after: str = "", **wanted: object) -> domain.Found:
        """A search: filters by name, and sort, currency and with_facets."""
        asked = {name: wanted.pop(name) for name in ("sort", "currency", "with_facets") if name in wanted}
        query = Query(text, Filters(**wanted), **({"sort": Sort.RELEVANCE, "currency": "EUR"} | asked))  # type: ignore[arg-type]
        return await self.searches.search(query, pages.Page(size, after))

    async def titles(self, text: str = "", **wanted: object) -> list[str]:
        """The titles that a search finds, in its order."""
        return [hit.title for hit in (await self.find(text, **wanted)).hits]  # type: ignore[arg-type]


def product(title: str, amount: int = 1000, **changes: object) -> Product:
    """A chair with one variant, unless something else is said."""
    sku = f"S-{uuid.uuid4().hex[:10].upper()}"
    fields: dict[str, object] = {
        "id": ids.new_id(clock.utc_now() + timedelta(milliseconds=next(_AGE))),
        "version": 1,
        "title": title,
        "category": "chairs",
        "variants": (Variant(sku, "", money.Money("EUR", amount)),),
    }
    return Product(**fields | changes)  # type: ignore[arg-type]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a node of OpenSearch."""
    with opensearch.running(tmp_path_factory.mktemp("opensearch")) as url:
        yield url


@pytest_asyncio.fixture
async def record(db: database.Database, shop: Shop) -> Search:
    """A search on PostgreSQL that knows nothing but categories, with its first build done."""
    await _emptied(db)
    return await _made(db, shop, postgres_engine.PostgresEngine(db), None)


@pytest_asyncio.fixture
async def mirrored(db: database.Database, shop: Shop, node: str) -> AsyncIterator[Search]:
    """The same on OpenSearch."""
    await _emptied(db)
    settings = opensearch_settings(node)
    asked = cluster.Cluster(settings)
    await asked.start()
    try:
        found = engine.OpenSearchEngine(asked, db, settings.index)
        chosen = selecting.Selecting(db, found, postgres_engine.PostgresEngine(db), fresh_s=0)
        made = await _made(db, shop, chosen, mirror.Mirror(db, asked, settings))
        assert await pushes.active_mirror(db)
        yield dataclasses.replace(made, settings=settings)
    finally:
        await asked.stop()


@pytest.fixture(params=["record", "mirrored"], ids=["postgres", "opensearch"])
def search(request: pytest.FixtureRequest) -> Search:
    """A search with each engine, one after the other."""
    made: Search = request.getfixturevalue(request.param)
    return made


def opensearch_settings(url: str, **changes: object) -> OpenSearchSettings:
    """Where the node is; its indexes are of one test alone."""
    usual: dict[str, object] = {"url": url, "index": f"test-{uuid.uuid4().hex[:8]}", "replicas": 0, "refresh_ms": 50}
    return OpenSearchSettings(**usual | changes)  # type: ignore[arg-type]


async def _emptied(db: database.Database) -> None:
    await db.read(database.Statement(f"TRUNCATE {TABLES}"))
    async with db.transaction() as transaction:
        await pushes.unmirror(transaction, [each.mirror for each in await pushes.mirrored(db) if each.mirror])


async def _made(db: database.Database, shop: Shop, chosen: usecases.Engine, kept: mirror.Mirror | None) -> Search:
    moments = answers.Moments(db, fresh_s=0)
    searches = usecases.Searches(db, chosen, moments)
    made = Search(
        db, shop, usecases.Index(db, shop, shop, kept), searches, usecases.Synonyms(db, now=clock.utc_now), kept
    )
    await made.index.learn_categories()
    await made.built()
    if kept:
        await made.index.rebuild()
        await made.built()
    return made


@pytest_asyncio.fixture
async def shared(redis_url: str) -> AsyncIterator[cache.Shared]:
    made = cache.Shared(redis_url, cache.Seal(uuid.uuid4().bytes))
    yield made
    await made.stop()
