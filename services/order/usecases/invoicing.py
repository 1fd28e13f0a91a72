"""Invoices and credit notes: due with the event that they follow from, issued in batches, read with what follows from the order.

What is due is a row in the transaction of its event; numbers are given apart, so that no order waits for the lock of a series.
If the process dies before the numbers are committed, the rows are due still and nobody has those numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis import database
from services.order import domain, saga
from services.order.domain import documents
from services.order.domain.documents import Kind
from services.order.store import documents as rows
from services.order.usecases import advancing, reading

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Settled:
    """Money that was taken or given back: the document that is due for it, and what it means to the saga, if anything."""

    due: documents.Due | None
    event: saga.Event | None = None


class Invoicing:
    """Issues documents, and reads them."""

    def __init__(self, db: database.Database, orders: advancing.Advancing, seller: documents.Seller) -> None:
        self._db = db
        self._orders = orders
        self._seller = seller
        self._reading = reading.Reading(db)

    async def settled(self, transaction: database.Transaction, moved: Sequence[Settled]) -> None:
        """Have the documents issued that these are about, and carry their orders on."""
        due = [one.due for one in moved if one.due]
        if due:
            await rows.due(transaction, due)
        if events := [one.event for one in moved if one.event]:
            await self._orders.advance(transaction, events)

    async def issue(self) -> int:
        """Number what is due: how many documents were issued. Raises TransientError."""
        issued = 0
        for kind in await rows.kinds_due(self._db):
            async with self._db.transaction() as transaction:
                issued += await rows.issue(transaction, kind, self._seller, most=AT_ONCE)
        return issued

    async def of_order(self, order_id: str, *, owner_id: str | None) -> list[documents.Issued]:
        """An order's invoice and credit notes. Raises ORDER_NOT_FOUND."""
        placed = await self._reading.get(order_id, owner_id=owner_id)
        found = await rows.of_order(self._db, order_id)
        if not found and await self._captured(placed):
            # Its money was taken by a release that issued no invoices.
            async with self._db.transaction() as transaction:
                await rows.due(transaction, [documents.Due(order_id, Kind.INVOICE)])
            await self.issue()
            found = await rows.of_order(self._db, order_id)
        return documents.issued(placed.order, found)

    async def _captured(self, placed: domain.Placed) -> bool:
        if placed.saga.status in (domain.Status.PENDING, domain.Status.RESERVED):
            return False
        history = await self._reading.history(placed.order.id, owner_id=None)
        return any(entry.event == saga.Reply.PAYMENT_CAPTURED for entry in history)
