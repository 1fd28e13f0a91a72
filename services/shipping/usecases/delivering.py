"""What orders and the inventory say: parcels are opened when both are heard, and stopped while nothing of them has left.

A return that was granted opens parcels too, which go the other way, and stops those that nobody sent when it is over.

It runs in the consumer's transaction, together with the claim of its events and the answers it emits. If the process dies
before the commit nothing happened and the batch comes again; after it the worker of the next process buys the labels.
"""

from collections.abc import Callable, Mapping, Sequence

from services.chassis import clock, database
from services.shipping import store
from services.shipping.domain import deliveries, parcels


class Delivering:
    """The use cases of deliveries. `wake` tells the worker that there are labels to buy or to void."""

    def __init__(self, db: database.Database, *, now: clock.Clock, wake: Callable[[], None]) -> None:
        self._db = db
        self._now = now
        self._wake = wake

    async def hear(self, transaction: database.Transaction, said: Sequence[deliveries.Said]) -> None:
        """Do what is said of orders, at most one thing each.

        Their rows are written and locked first, all at once and in one order; then all parcels of those that have any.
        """
        known = await store.note(transaction, sorted(said, key=lambda item: item.order_id))
        cancelled = [item.order_id for item in said if isinstance(item, deliveries.Cancellation)]
        requested = [item.order_id for item in said if isinstance(item, deliveries.StopRequest)]
        ready = [item.order_id for item in known.values() if item.address and item.picks]
        about_returns = [item for item in said if isinstance(item, deliveries.ReturnGranted | deliveries.ReturnOver)]
        of_returns = {item.order_id for item in about_returns}
        locked = await store.lock(transaction, sorted({*ready, *cancelled, *requested, *of_returns}))
        existing = {order_id: sent for order_id, found in locked.items() if (sent := deliveries.sent(found))}
        await self._open(transaction, [known[order_id] for order_id in ready if order_id not in existing])
        stopped = [order_id for order_id in requested if deliveries.can_stop(existing.get(order_id, ()))]
        await self._stop(transaction, [*cancelled, *stopped], existing)
        transaction.emit(deliveries.ShipmentsStopped(order_id) for order_id in stopped)
        transaction.emit(deliveries.StopRefused(order_id) for order_id in requested if order_id not in stopped)
        asked = [item.order_id for item in said if isinstance(item, deliveries.Confirmation)]
        for order_id in asked:
            transaction.emit(deliveries.again(existing.get(order_id, ())))
        if about_returns:
            await self._return(transaction, about_returns, known, locked)

    async def _open(self, transaction: database.Transaction, ready: Sequence[deliveries.Delivery]) -> None:
        now = self._now()
        new = [deliveries.opened(delivery, now) for delivery in ready]
        await store.add(transaction, [parcel for of_order in new for parcel in of_order])
        transaction.emit(fact for of_order in new for fact in deliveries.created(of_order))
        transaction.after_commit(self._wake)

    async def _stop(
        self,
        transaction: database.Transaction,
        order_ids: Sequence[str],
        existing: dict[str, list[parcels.Parcel]],
    ) -> None:
        """Stop what has not left of these orders; what has left of one that is cancelled all the same goes on."""
        if not order_ids:
            return
        await store.stop(transaction, order_ids)
        await self._halt(transaction, [parcel for order_id in order_ids for parcel in existing.get(order_id, ())])

    async def _return(
        self,
        transaction: database.Transaction,
        said: Sequence[deliveries.ReturnGranted | deliveries.ReturnOver],
        known: Mapping[str, deliveries.Delivery],
        locked: Mapping[str, Sequence[parcels.Parcel]],
    ) -> None:
        now = self._now()
        there = {parcel.id for found in locked.values() for parcel in found}
        granted = [item for item in said if isinstance(item, deliveries.ReturnGranted)]
        new = [parcel for item in granted for parcel in deliveries.returning(known[item.order_id], item, now)]
        await store.add(transaction, [parcel for parcel in new if parcel.id not in there])
        over = {item.return_id for item in said if isinstance(item, deliveries.ReturnOver)}
        await self._halt(
            transaction, [parcel for found in locked.values() for parcel in found if parcel.return_id in over]
        )

    async def _halt(self, transaction: database.Transaction, stopping: Sequence[parcels.Parcel]) -> None:
        now = self._now()
        said = parcels.Happening(parcels.Input.STOPPED, "order")
        moved = [advance for parcel in stopping if (advance := parcels.advance(parcel, [said], now))]
        await store.save(transaction, moved, track_s=0.0)
        transaction.after_commit(self._wake)
