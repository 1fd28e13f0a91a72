"""A search on a real database: what it is told of, and where its builds read."""

import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio

from services.chassis import cache, clock, database, ids, money, pages
from services.search import answers, domain, postgres_engine, usecases
from services.search.domain import Category, Filters, Level, Product, Query, Sort, Variant

TABLES = "documents, words, levels, availability, synonyms, categories, renamed_categories"
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

    async def told(self, *what: Product | Level) -> None:
        """It hears of these in one transaction, as of a wave of events."""
        async with self.db.transaction() as transaction:
            await self.index.hear(transaction, what)

    async def built(self) -> None:
        """Every step of a build is done."""
        while await self.index.build():
            pass

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


@pytest_asyncio.fixture
async def search(db: database.Database, shop: Shop) -> AsyncIterator[Search]:
    """A search that knows nothing but categories, with its first build done."""
    await db.read(database.Statement(f"TRUNCATE {TABLES}"))
    moments = answers.Moments(db, fresh_s=0)
    made = Search(
        db,
        shop,
        usecases.Index(db, shop, shop),
        usecases.Searches(db, postgres_engine.PostgresEngine(db), moments),
        usecases.Synonyms(db, now=clock.utc_now),
    )
    await made.index.learn_categories()
    await made.built()
    yield made


@pytest_asyncio.fixture
async def shared(redis_url: str) -> AsyncIterator[cache.Shared]:
    made = cache.Shared(redis_url, cache.Seal(uuid.uuid4().bytes))
    yield made
    await made.stop()
