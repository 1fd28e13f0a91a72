"""Carrying orders on: what a service's reply, a customer's wish or an operator makes of orders, by the saga's table."""

import logging
from collections.abc import Callable, Iterable, Sequence

from services.chassis import clock, database, errors, metrics
from services.order import domain, saga, store
from services.order.store import history, own_writes
from services.order.usecases import reading

_LOG = logging.getLogger(__name__)


class Advancing:
    """Carries orders on. `moved` is told which orders a committed transaction changed; it must not fail."""

    def __init__(
        self, db: database.Database, moved: Callable[[Sequence[str]], None], *, now: clock.Clock, waits: saga.Waits
    ) -> None:
        self._db = db
        self._moved = moved
        self._now = now
        self._waits = waits
        self._reading = reading.Reading(db)

    async def advance(self, transaction: database.Transaction, events: Sequence[saga.Event]) -> None:
        """Carry these orders on, at most one event each. Unknown orders and late replies change nothing."""
        placed = await store.lock(transaction, [event.order_id for event in events])
        now = self._now()
        moved = [saga.advance(placed[event.order_id], event, now) for event in events if event.order_id in placed]
        advances = [advance for advance in moved if advance]
        _alarm_contradictions(
            event for event in events if event.order_id in placed and saga.contradicts(placed[event.order_id], event)
        )
        if not advances:
            return
        await store.save(transaction, [advance.saga for advance in advances], self._waits)
        await history.append(transaction, [advance.entry for advance in advances])
        _alarm(advances)
        transaction.emit(fact for advance in advances for fact in advance.facts)
        changed = [advance.saga.order_id for advance in advances]
        transaction.after_commit(lambda: self._moved(changed))

    async def cancel(self, order_id: str, *, by: str, owner_id: str | None) -> domain.Placed:
        """Cancel an order of which nothing has left; of a confirmed one shipping is asked first.

        by is the user who wants it; owner_id whose it must be (None: anybody's). Raises ORDER_NOT_FOUND or ORDER_SHIPPED.
        """
        placed = await self._reading.get(order_id, owner_id=owner_id)
        if placed.saga.status in (domain.Status.SHIPPED, domain.Status.DELIVERED):
            raise errors.precondition("ORDER_SHIPPED", "the order was handed over to the carrier", order_id=order_id)
        async with self._db.transaction() as transaction:
            await self.advance(transaction, [saga.Event(order_id, saga.Reply.CANCEL_REQUESTED, _actor(by))])
            await own_writes.count(transaction, by)
        return await self._reading.get(order_id, owner_id=owner_id)

    async def resume(self, order_id: str, *, by: str) -> domain.Placed:
        """Push on a saga that ran out of attempts. Raises ORDER_NOT_FOUND or SAGA_NOT_STUCK."""
        placed = await self._reading.get(order_id, owner_id=None)
        if not placed.saga.stuck:
            raise errors.precondition("SAGA_NOT_STUCK", "the saga of the order is not stuck", order_id=order_id)
        async with self._db.transaction() as transaction:
            await self.advance(transaction, [saga.Event(order_id, saga.Reply.RESUMED, _actor(by))])
            await own_writes.count(transaction, by)
        return await self._reading.get(order_id, owner_id=None)


def _actor(user_id: str) -> str:
    return f"user:{user_id}"


def _alarm(advances: Iterable[saga.Advance]) -> None:
    """What a person must look at goes to the log as an error, and to the counter that the alert watches."""
    for advance in advances:
        moved = advance.saga
        if moved.stuck or (advance.entry.event == saga.Reply.PAYMENT_CAPTURE_REFUSED):
            metrics.ALARMS.labels(store.SERVICE, "saga_stuck" if moved.stuck else "capture_refused").inc()
            _LOG.error("order needs a person", extra={"order_id": moved.order_id, "event": advance.entry.event})


def _alarm_contradictions(events: Iterable[saga.Event]) -> None:
    """A refusal of what was confirmed before changes no order, but the two services disagree, and a person must look."""
    for event in events:
        metrics.ALARMS.labels(store.SERVICE, "answer_taken_back").inc()
        extra = {"order_id": event.order_id, "event": event.reply, "actor": event.actor}
        _LOG.error("a service refuses what it did before: its books are not ours", extra=extra)
