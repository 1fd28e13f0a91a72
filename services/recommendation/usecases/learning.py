"""What events teach: products, stock, and orders, each of which counts once, however late and however often it is told.

Everything about an order is one transaction: if the process dies in it nothing is counted, and the event comes again. An order
that comes before its products is kept and waits; a loop counts it when they are known. Next stop: `store/`.
"""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

from services.chassis import clock, database, ids, retention
from services.recommendation import domain, store
from services.recommendation.store import counts

# Orders that waited are counted so many at a time, and what is too old is deleted so many rows at a time.
ORDERS_AT_ONCE = 500
ROWS_AT_ONCE = 5_000
QUEUES = store.QUEUES
# Orders have an id of when they were placed, and are counted by when they were confirmed: no later than this.
_CONFIRMED_WITHIN = timedelta(days=7)


class Learning:
    """The use cases of events and of time that passes."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def hear(
        self, transaction: database.Transaction, told: Sequence[domain.Product | domain.Level | domain.Basket]
    ) -> None:
        """Products and levels are as told, unless something newer is known of them; orders count, unless they did."""
        model = await store.counting(transaction)
        if products := domain.newest(item for item in told if isinstance(item, domain.Product)):
            await store.put_products(transaction, products)
        if levels := domain.last(item for item in told if isinstance(item, domain.Level)):
            await store.put_levels(transaction, levels)
        if baskets := [item for item in told if isinstance(item, domain.Basket)]:
            await self._take(transaction, model, baskets)

    async def resolve(self) -> int:
        """Count some orders that waited for products that are known now: how many. Raises TransientError."""
        async with self._db.transaction() as transaction:
            model = await store.counting(transaction)
            baskets = await store.resolvable(transaction, most=ORDERS_AT_ONCE)
            numbers = await store.numbers(transaction, (sku for basket in baskets for sku in basket.skus))
            await _count(transaction, model, [domain.resolved(basket, numbers) for basket in baskets])
        return len(baskets)

    async def forget(self, transaction: database.Transaction, users: Sequence[str]) -> None:
        """What these users bought counts on, and is nobody's; also what is still on its way.

        Nobody counts meanwhile, so no order of theirs is written that did not see that they were forgotten.
        """
        await store.locked(transaction)
        await store.forget(transaction, users)

    async def purge(self) -> int:
        """Delete some of what is too old to count: how many rows. Raises TransientError."""
        now = self._now()
        oldest = domain.periods(now)[-1]
        orders_before = ids.floor(domain.begun(oldest) - _CONFIRMED_WITHIN)
        forgotten_before = now - retention.INBOX_KEPT
        gone = await store.purge(
            self._db, orders_before=orders_before, forgotten_before=forgotten_before, most=ROWS_AT_ONCE
        )
        return gone + await counts.purge(self._db, before=oldest, most=ROWS_AT_ONCE)

    async def _take(self, transaction: database.Transaction, model: store.Model, told: Sequence[domain.Basket]) -> None:
        """Keep these orders, and count those that are new and whose products are all known."""
        now = self._now()
        # A clock that goes ahead must not make a product trend for years.
        baskets = [dataclasses.replace(basket, time=min(basket.time, now)) for basket in told]
        numbers = await store.numbers(transaction, (sku for basket in baskets for sku in basket.skus))
        bought = {basket.order_id: domain.resolved(basket, numbers) for basket in baskets}
        waiting = [bought[basket.order_id] is None for basket in baskets]
        fresh = await store.add_baskets(transaction, baskets, waiting)
        await _count(transaction, model, [order for order_id, order in bought.items() if order_id in fresh])


async def _count(transaction: database.Transaction, model: store.Model, orders: Sequence[domain.Bought | None]) -> None:
    """Add these orders in the slot that is read, and in the one that is being made if their turn has passed there."""
    for slot in (0, 1):
        mine = [order for order in orders if order and slot in model.slots_of(order.order_id)]
        if mine:
            await counts.add(transaction, slot, domain.counted(mine))
