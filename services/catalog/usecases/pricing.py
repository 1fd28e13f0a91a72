"""What a product costs while it is on promotion: what promotion scheduled is heard, and a timer starts and ends it.

Hearing writes the schedule and nothing else. The timer changes prices: the schedule's state, what SKUs cost, the history
(appended by the database), the product's next version and its event are one transaction. If the process dies before the
commit the schedule is still due, and whoever looks next does it; after it the relay publishes the event, by which caches
forget and search learns. When nobody looks for a while prices start and end late: a product costs what the catalog charges,
and the history says from when on. A promotion that nobody saw from start to end was never charged.

The regular price (`variants.price`) is never changed here. What is charged is the lower of the two, so a regular price that
is set below the promotional one counts at once, and the promotion goes on beside it.
"""

from collections.abc import Awaitable, Callable, Sequence

from services.catalog import domain, store
from services.catalog.domain import timeline
from services.catalog.store import prices as price_store
from services.chassis import database, pages

# Promotional prices that are looked at in one transaction.
DUE_AT_ONCE = 200

Forget = Callable[[Sequence[str], Sequence[str]], Awaitable[None]]


class Pricing:
    """The use cases of prices over time. forget makes caches forget products and SKUs."""

    def __init__(self, db: database.Database, forget: Forget) -> None:
        self._db = db
        self._forget = forget

    async def hear(self, transaction: database.Transaction, told: Sequence[timeline.Scheduled]) -> None:
        """Promotional prices are as told, unless something newer is known of them."""
        newest = {item.id: item for item in sorted(told, key=lambda item: item.version)}
        await price_store.put(transaction, list(newest.values()))

    async def turn(self) -> int:
        """Start and end promotional prices that are due: of how many products. Raises TransientError.

        All that is due for a product is done at once: where one promotion follows another there is no moment between them.
        """
        async with self._db.transaction() as transaction:
            due, now = await price_store.claim(transaction, DUE_AT_ONCE)
            if now is None:
                return 0
            changed = await price_store.turn(transaction, due, now)
            products = await store.products_within(transaction, changed)
            transaction.emit(domain.ProductChanged(product) for product in products)
        skus = [variant.sku for product in products for variant in product.variants]
        if products:
            await self._forget([product.id for product in products], skus)
        return len(due)

    async def charged(self, transaction: database.Transaction, product: domain.Product) -> domain.Product:
        """A locked product that was written, as its promotions make it: also SKUs that it did not have are reduced."""
        await price_store.apply(transaction, [product.id])
        [written] = await store.products_within(transaction, [product.id])
        return written

    async def history(self, product_id: str, sku: str, page: pages.Page) -> pages.Slice[timeline.Period]:
        """What a product's SKUs (empty: all of them) cost, the newest first."""
        found = await price_store.history(self._db, product_id, sku, page)
        return pages.cut(found, page, lambda period: str(period.id))
