"""Reading orders: one, a page of them, how one came to be what it is, and how many are on their way."""

from collections.abc import Sequence

from services.chassis import database, errors, pages, replica
from services.order import domain, store
from services.order.store import history, own_writes

# How many sagas are on their way, and how long the oldest has been; and those that wait for a person; and returns
# that payment has not answered for. A carrier takes its time.
QUEUES = database.Statement("""
SELECT 'saga', count(*), extract(epoch FROM clock_timestamp() - min(update_time)) FROM sagas
WHERE deadline IS NOT NULL AND step <> 'DELIVERY'
UNION ALL
SELECT 'saga_stuck', count(*), extract(epoch FROM clock_timestamp() - min(update_time)) FROM sagas WHERE stuck
UNION ALL
SELECT 'return_refunds', count(*), extract(epoch FROM clock_timestamp() - min(update_time)) FROM returns
WHERE status = 'INSPECTED'
""")


def reads(db: database.Database, copy: database.Database | None) -> replica.Reads:
    """Where lists are read: they may be a moment old, but have what their reader did."""
    return replica.Reads(db, copy, mark=own_writes.MARK, age=own_writes.AGE)


class Reading:
    """Answers questions about orders. `old` is where lists are read, if not from the database itself."""

    def __init__(self, db: database.Database, old: replica.Reads | None = None) -> None:
        self._db = db
        self._old = old or reads(db, None)

    async def get(self, order_id: str, *, owner_id: str | None) -> domain.Placed:
        """One order. Raises ORDER_NOT_FOUND also when it is not this owner's."""
        placed = (await store.load(self._db, [order_id])).get(order_id)
        if placed is None or (owner_id is not None and placed.order.user_id != owner_id):
            raise errors.not_found("ORDER_NOT_FOUND", "the order does not exist", order_id=order_id)
        return placed

    async def list(self, user_id: str, page: pages.Page) -> pages.Slice[domain.Placed]:
        """A user's orders, newest first."""
        rows = await self._old.read(user_id, lambda db: store.page_of(db, user_id, page))
        return pages.cut(rows, page, lambda placed: placed.order.id)

    async def newcomers(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Those of these users who have no order but cancelled ones."""
        return frozenset(user_ids) - await store.have_ordered(self._db, user_ids)

    async def history(self, order_id: str, *, owner_id: str | None) -> Sequence[domain.HistoryEntry]:
        """An order's history, oldest first. Raises ORDER_NOT_FOUND."""
        await self.get(order_id, owner_id=owner_id)
        return await history.history(self._db, order_id)

    async def story(
        self, order_id: str, *, owner_id: str | None
    ) -> tuple[domain.Placed, Sequence[domain.HistoryEntry]]:
        """An order, and how it came to be what it is, oldest first. Raises ORDER_NOT_FOUND."""
        placed = await self.get(order_id, owner_id=owner_id)
        entries = await history.history(self._db, order_id)
        # What happened between the two reads is left to the next question: the history ends with the status that is shown.
        return placed, [entry for entry in entries if entry.sequence <= placed.saga.version]
