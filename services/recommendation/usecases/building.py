"""Making the model anew: products and stock are read from who owns them, then all orders that are kept are counted again.

It is done in the slot that nobody reads, a page at a time, while events go on; then one commit switches. How far it is, is a row:
whoever dies before a commit leaves it where it was, and of two who take the same page one finds it taken. Orders are taken by id;
one that is told meanwhile with an id whose turn has passed is counted in both slots by whoever hears it (`store.Model.slots_of`).
So what is made is what events have made.
"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from services.chassis import clock, database, pages
from services.recommendation import domain, store
from services.recommendation.store import counts

ORDERS_AT_ONCE = 2_000


class Catalog(Protocol):
    """Where products are kept."""

    async def products_after(self, product_id: str) -> Sequence[domain.Product]:
        """A page of products, oldest first, from behind this one on; empty after the last. Raises TransientError."""


class Inventory(Protocol):
    """Where stock is kept."""

    async def levels_page(self, token: str) -> tuple[Sequence[domain.Level], str]:
        """A page of levels and the token of the next one, empty on the last. Raises TransientError."""


class Building:
    """The use cases of making the model anew."""

    def __init__(self, db: database.Database, catalog: Catalog, inventory: Inventory, *, now: clock.Clock) -> None:
        self._db = db
        self._catalog = catalog
        self._inventory = inventory
        self._now = now

    async def state(self) -> domain.ModelState:
        """The model as it is now."""
        model = await store.model(self._db)
        products, waiting = await store.sizes(self._db)
        orders = await counts.orders(self._db, domain.periods(self._now()))
        recounted = model.recounted if model.building else 0
        return domain.ModelState(
            model.building, products, orders, waiting=waiting, recounted=recounted, since=model.since
        )

    async def rebuild(self) -> domain.ModelState:
        """Begin to make the model anew, unless that is under way."""
        async with self._db.transaction() as transaction:
            model = await store.locked(transaction)
            if not model.building:
                await counts.clear(transaction, 1 - model.slot)
                fresh = store.Model(model.slot, store.PRODUCTS, "", pages.FIRST_ID, 0, model.since)
                await store.put_model(transaction, fresh, begun=True)
        return await self.state()

    async def build(self) -> int:
        """Take the build that is under way one page further: 0 when there is none. Raises TransientError."""
        reached = await store.model(self._db)
        if reached.stage == store.PRODUCTS:
            await self._products(reached, await self._catalog.products_after(reached.after))
        elif reached.stage == store.STOCK:
            await self._stock(reached, *await self._inventory.levels_page(reached.after))
        elif reached.stage == store.ORDERS:
            await self._orders(reached)
        return int(reached.building)

    async def _products(self, reached: store.Model, products: Sequence[domain.Product]) -> None:
        async with self._db.transaction() as transaction:
            if await store.locked(transaction) != reached:
                return
            if products:
                await store.put_products(transaction, domain.newest(products))
                after = dataclasses.replace(reached, after=products[-1].id)
            else:
                after = dataclasses.replace(reached, stage=store.STOCK, after="")
            await store.put_model(transaction, after)

    async def _stock(self, reached: store.Model, levels: Sequence[domain.Level], token: str) -> None:
        async with self._db.transaction() as transaction:
            if await store.locked(transaction) != reached:
                return
            if levels:
                await store.put_levels(transaction, domain.last(levels), read=True)
            stage = store.STOCK if token else store.ORDERS
            await store.put_model(transaction, dataclasses.replace(reached, stage=stage, after=token))

    async def _orders(self, reached: store.Model) -> None:
        async with self._db.transaction() as transaction:
            if await store.locked(transaction) != reached:
                return
            baskets, last = await store.baskets_after(transaction, reached.after_order, most=ORDERS_AT_ONCE)
            if not last:
                switched = dataclasses.replace(reached, slot=1 - reached.slot, stage=store.READY)
                await store.put_model(transaction, switched, begun=True)
                return
            numbers = await store.numbers(transaction, (sku for basket in baskets for sku in basket.skus))
            oldest = domain.periods(self._now())[-1]
            bought = [domain.resolved(basket, numbers) for basket in baskets]
            found = [order for order in bought if order and domain.period(order.time) >= oldest]
            if found:
                await counts.add(transaction, 1 - reached.slot, domain.counted(found))
            after = dataclasses.replace(reached, after_order=last, recounted=reached.recounted + len(found))
            await store.put_model(transaction, after)
