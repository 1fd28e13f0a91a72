"""`kill -9` of recommendation at each line that commits what it hears: an order counts once, and no product is missed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest
import pytest_asyncio

from tests.faults import mortals
from tests.faults.deaths import CONSUMER, Death, deaths
from tests.support import shop
from tests.support.polling import eventually

SETTLE_S = 30.0

COUNTED = deaths("recommendation", "consumer", "OrderConfirmed", *CONSUMER)
LISTED = [
    *deaths("recommendation", "consumer", "ProductChanged", *CONSUMER),
    *deaths("recommendation", "consumer", "StockLevelChanged", *CONSUMER),
]


ON_THE_WAY = ("recommendation",)


@dataclass(frozen=True, slots=True)
class Scene:
    """A shop, and a recommendation that may die."""

    mortal: mortals.Mortals
    market: shop.Shop
    database: str

    async def through(self, death: Death) -> None:
        """Wait for a death that was prepared, and start the dead service again."""
        await self.mortal.dies(death.service)
        await self.mortal.revive(death.service)

    async def counted(self, product: shop.Product) -> int:
        """In how many orders a product was counted."""
        asked = b"""
        SELECT coalesce(sum(i.orders), 0)::bigint FROM item_counts AS i JOIN products AS p ON p.number = i.product
        WHERE p.product_id = %s AND i.slot = (SELECT slot FROM model)"""
        return await self._asked(asked, product.id)

    async def knows(self, product: shop.Product) -> None:
        """Wait until a product may be recommended: it is for sale, and in stock."""
        asked = b"""
        SELECT EXISTS (SELECT FROM products AS p JOIN skus AS k ON k.product = p.number JOIN levels AS l USING (sku)
        WHERE p.product_id = %s AND NOT p.deleted AND k.listed AND l.available > 0)"""

        async def is_so() -> bool:
            return bool(await self._asked(asked, product.id))

        await eventually(is_so, within_s=SETTLE_S)

    async def _asked(self, query: bytes, product_id: str) -> int:
        async with await psycopg.AsyncConnection.connect(self.database, autocommit=True) as connection:
            row = await (await connection.execute(query, [product_id])).fetchone()
            assert row is not None
            return int(row[0])


@pytest_asyncio.fixture
async def scene(mortal: mortals.Mortals, market: shop.Shop, environment: Mapping[str, str]) -> AsyncIterator[Scene]:
    """Everything is well."""
    yield Scene(mortal, market, environment["RECOMMENDATION_DATABASE_URL"])


@pytest.mark.parametrize("death", COUNTED, ids=str)
async def test_an_order_counts_once_through_a_death(scene: Scene, death: Death) -> None:
    customer, tea = await scene.market.customer(), await scene.market.product()
    scene.mortal.trap(death.service, death.trap)
    order = await customer.place(shop.basket((tea, 1)))
    await scene.through(death)
    await customer.settled(order["id"])
    # Whatever the death repeated was heard before this order, which counts too.
    again = await customer.place(shop.basket((tea, 1)))
    await customer.settled(again["id"])

    async def is_counted() -> bool:
        assert await scene.counted(tea) <= 2
        return await scene.counted(tea) == 2

    await eventually(is_counted, within_s=SETTLE_S)


@pytest.mark.parametrize("death", LISTED, ids=str)
async def test_a_product_and_its_stock_are_known_through_a_death(scene: Scene, death: Death) -> None:
    scene.mortal.trap(death.service, death.trap)
    tea = await scene.market.product()
    await scene.through(death)
    await scene.knows(tea)
