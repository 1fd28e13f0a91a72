"""Recommendation on a real database: a shop whose products, stock and orders it is told of, and what tests ask of it."""

import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from services.chassis import clock, database, ids, money
from services.recommendation import domain
from services.recommendation.domain import Basket, Level, Product
from services.recommendation.usecases import building, learning, recommending

TABLES = "products, skus, levels, baskets, forgotten, order_counts, item_counts, pair_counts"
COUNTS = {
    "orders": "SELECT period, orders FROM order_counts WHERE slot = (SELECT slot FROM model) ORDER BY 1",
    "items": "SELECT period, product, orders, round(heat::numeric, 9) FROM item_counts"
    " WHERE slot = (SELECT slot FROM model) ORDER BY 1, 2",
    "pairs": "SELECT period, low, high, orders FROM pair_counts WHERE slot = (SELECT slot FROM model) ORDER BY 1, 2, 3",
}
USUAL = recommending.Terms(together_s=0.0, trending_s=0.0, share=1.0, bought_for=timedelta(days=30))
_AGE = itertools.count()


@dataclass
class Shop:
    """Stands where catalog and inventory are: ports of the use cases, with pages of two."""

    products: list[Product] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)

    async def products_after(self, product_id: str) -> Sequence[Product]:
        return [each for each in sorted(self.products, key=lambda p: p.id) if each.id > product_id][:2]

    async def levels_page(self, token: str) -> tuple[Sequence[Level], str]:
        start = int(token or 0)
        return self.levels[start : start + 2], str(start + 2) if len(self.levels) > start + 2 else ""


@dataclass
class Recommendation:
    """The use cases, and what tests ask of them."""

    db: database.Database
    shop: Shop
    learning: learning.Learning
    building: building.Building
    recommending: recommending.Recommending

    async def told(self, *what: Product | Level | Basket) -> None:
        """It hears of these in one transaction, as of a wave of events."""
        async with self.db.transaction() as transaction:
            await self.learning.hear(transaction, what)

    async def sells(self, *products: Product) -> None:
        """These products are for sale, with ten of each SKU in stock."""
        levels = [Level(sku, "east", 10) for product in products for sku in product.skus]
        await self.told(*products, *levels)

    async def forgot(self, user_id: str) -> None:
        """A user is forgotten."""
        async with self.db.transaction() as transaction:
            await self.learning.forget(transaction, [user_id])

    async def rebuilt(self) -> None:
        """The model was made anew."""
        await self.building.rebuild()
        await self.built()

    async def built(self) -> None:
        """Every step of a build is done."""
        while await self.building.build():
            pass

    async def counts(self) -> dict[str, list[database.Row]]:
        """Everything that is counted, in the slot that is read."""
        return {name: await self.db.read(database.Statement(query)) for name, query in COUNTS.items()}

    async def related(self, product: Product, limit: int = 0) -> list[str]:
        """The titles of what is bought together with a product."""
        found = await self.recommending.related(product.id, limit)
        return [each.card.title for each in found if each.reason is domain.Reason.BOUGHT_TOGETHER]


def product(title: str, **changes: object) -> Product:
    """A product in a category of its own with one SKU, unless something else is said. Each is newer than the one before."""
    now = clock.utc_now() + timedelta(milliseconds=next(_AGE))
    fields: dict[str, object] = {
        "id": ids.new_id(now),
        "version": 1,
        "skus": (f"S-{uuid.uuid4().hex[:10].upper()}",),
        "title": title,
        "category": title.lower(),
        "price": money.Money("EUR", 1000),
        "create_time": now,
    }
    return Product(**fields | changes)  # type: ignore[arg-type]


def basket(*products: Product, by: str = "", at: datetime | None = None) -> Basket:
    """An order of one of each of these, confirmed now unless a time is said, by somebody new unless somebody is said."""
    moment = at or clock.utc_now()
    skus = tuple(each.skus[0] for each in products)
    return Basket(ids.new_id(moment), by or somebody(), moment, skus)


def somebody() -> str:
    """Who was not there before."""
    return ids.new_id(clock.utc_now())


def titles(found: Sequence[domain.Recommended]) -> list[str]:
    """The titles of what is recommended."""
    return [each.card.title for each in found]


def made(db: database.Database, shop: Shop, terms: recommending.Terms = USUAL) -> Recommendation:
    """The use cases on a database, and where their builds read."""
    now = clock.utc_now
    return Recommendation(
        db,
        shop,
        learning.Learning(db, now=now),
        building.Building(db, shop, shop, now=now),
        recommending.Recommending(db, terms, now=now),
    )


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest_asyncio.fixture
async def souk(db: database.Database, shop: Shop) -> AsyncIterator[Recommendation]:
    """A recommendation that knows nothing, and whose first build is done."""
    await db.read(database.Statement(f"TRUNCATE {TABLES} RESTART IDENTITY"))
    recommendation = made(db, shop)
    await recommendation.built()
    yield recommendation
