"""What customers order becomes the popularity of products, which events tell at a low rate.

Counting is on the way of every order, so it is one statement for a batch. A timer tells what changed much: if the process dies
before its commit, the counts are due again.
"""

from collections import Counter
from collections.abc import Sequence

from services.catalog import domain
from services.catalog.domain import popularity
from services.catalog.store import popularity as store
from services.chassis import clock, database

AT_ONCE = 500


class Popularity:
    """The use cases of popularity."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def count(self, transaction: database.Transaction, orders: Sequence[Sequence[popularity.Sold]]) -> None:
        """Units of these orders were sold, each once."""
        units: Counter[str] = Counter()
        for order in orders:
            for sold in order:
                units[sold.sku] += sold.quantity
        await store.count(transaction, units, now=self._now())

    async def tell(self) -> int:
        """Tell the popularity of up to AT_ONCE products whose time has come: how many were looked at. Raises TransientError."""
        now = self._now()
        async with self._db.transaction() as transaction:
            counts = await store.due(transaction, now=now, most=AT_ONCE)
            if not counts:
                return 0
            found = {count.product_id: popularity.popularity(count, now) for count in counts}
            news = {
                count.product_id: found[count.product_id]
                for count in counts
                if popularity.is_news(count.told, found[count.product_id])
            }
            products = await store.write(transaction, news) if news else []
            gone = [product_id for product_id, units in found.items() if not units]
            await store.looked_at(transaction, list(found), gone, again=now + popularity.LOOK_AGAIN)
            transaction.emit(domain.ProductChanged(product) for product in products)
        return len(counts)
