"""Digests for vendors: what fell low in stock since they were told last, in one message.

`StockLevelLow` only leaves a note. When the oldest note is a day old, the catalog is asked whose the SKUs are, outside of every
transaction; then the notes are taken away and the messages queued in one. Whoever dies in between leaves the notes, and two
workers cannot take the same ones: so a vendor is told once, and at most once a day.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.chassis import clock, database, ids
from services.notification import domain, store, usecases
from services.notification.domain import LowStock

# Notes that are looked at in one go: the catalog is asked for no more SKUs at once.
AT_ONCE = 2000
# SKUs that a message names; the others are counted.
NAMED = 50


class Vendors(Protocol):
    """Who sells what."""

    async def vendors_of(self, skus: Sequence[str]) -> Mapping[str, str]:
        """The vendor's user id of each SKU; the shop's own and unknown ones are absent. Raises TransientError."""


class Digests:
    """The use cases of digests. every_s is how long what fell low waits for more, in seconds."""

    def __init__(
        self,
        db: database.Database,
        notifications: usecases.Notifications,
        vendors: Vendors,
        *,
        every_s: float,
        now: clock.Clock,
    ) -> None:
        self._db = db
        self._notifications = notifications
        self._vendors = vendors
        self._every_s = every_s
        self._now = now

    async def note(self, transaction: database.Transaction, low: Sequence[LowStock]) -> None:
        """Remember that these fell low, with what was left the last time."""
        await store.note_low(transaction, low)

    async def work(self) -> int:
        """Tell the vendors if it is time: of how many SKUs. Raises TransientError."""
        due = await store.low_due(self._db, every_s=self._every_s, most=AT_ONCE)
        if due:
            vendors = await self._vendors.vendors_of(due)
            async with self._db.transaction() as transaction:
                taken = await store.take_low(transaction, due)
                await self._notifications.queue(transaction, letters(taken, vendors, self._now()))
        return len(due)


def letters(taken: Sequence[LowStock], vendors: Mapping[str, str], now: datetime) -> list[domain.Letter]:
    """One letter for each vendor of these SKUs."""
    by_vendor: dict[str, list[LowStock]] = {}
    for low in taken:
        if vendor := vendors.get(low.sku):
            by_vendor.setdefault(vendor, []).append(low)
    return [
        domain.Letter(vendor, domain.Template.LOW_STOCK, ids.new_id(now), _details(own))
        for vendor, own in by_vendor.items()
    ]


def _details(low: Sequence[LowStock]) -> dict[str, object]:
    lines = [
        {"quantity": 1, "sku": one.sku, "available": one.available, "threshold": one.threshold} for one in low[:NAMED]
    ]
    return {"count": len(low), "lines": lines, "more": len(low) - len(lines)}
