"""What follows from what the provider tells of by itself. Each event counts once, whatever order they come in.

An event and what follows from it are one transaction: if the process dies before it commits, the provider sends the event again,
and after that the repeated event changes nothing. No event moves a payment to where the provider has to be asked: it only makes
that happen sooner.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from services.chassis import clock, database, errors, metrics
from services.payment import domain, store
from services.payment.domain import moves, notices
from services.payment.store import webhooks as rows
from services.payment.usecases import SERVICE

_LOG = logging.getLogger(__name__)

# Providers repeat an event for some days (Stripe: three).
KEPT = timedelta(days=30)
_FORGOTTEN_AT_ONCE = 5000


class Webhooks:
    """Hears events of the provider. `wake` tells the worker that there are calls to make; lease_s is how long one takes."""

    def __init__(
        self, db: database.Database, *, now: clock.Clock, wake: Callable[[], None], lease_s: float = 15.0
    ) -> None:
        self._db = db
        self._now = now
        self._wake = wake
        self._lease_s = lease_s

    async def receive(self, notice: notices.Notice) -> None:
        """Write down an event and what follows from it. One that was heard before, or is of no concern, changes nothing.

        Raises UNAVAILABLE when it has to be sent again later.
        """
        async with self._db.transaction() as transaction:
            if await rows.record(transaction, notice) and notice.news:
                payment = await rows.lock(transaction, notice)
                if payment is None:
                    _LOG.warning("the provider tells of a payment that is not ours", extra={"event": notice.id})
                else:
                    await self._follow(transaction, payment, notice)

    async def forget(self) -> int:
        """Delete events that the provider does not repeat any more: how many. The body of a loop."""
        return await rows.forget(self._db, kept=KEPT, most=_FORGOTTEN_AT_ONCE)

    async def _follow(self, transaction: database.Transaction, payment: domain.Payment, notice: notices.Notice) -> None:
        match notice.news:
            case notices.RefundFailed() as failed:
                await self._fail_refund(transaction, payment, failed)
            case notices.Dispute() as told:
                await self._dispute(transaction, payment, told)
        # Who asks whether a customer has confirmed does nothing by it: it does no harm when two ask.
        lease_s = 0.0 if payment.verb is domain.Verb.CONFIRM else self._lease_s
        if await rows.hasten(transaction, payment.id, lease_s=lease_s):
            transaction.after_commit(self._wake)

    async def _fail_refund(
        self, transaction: database.Transaction, payment: domain.Payment, failed: notices.RefundFailed
    ) -> None:
        """A refund that has not succeeded yet is being asked about; one that had is taken out of the books."""
        now = self._now()
        part = await rows.fail_refund(transaction, payment, failed.call, now)
        if part is None:
            return
        taken = moves.take_back(payment, part, failed.reason, now)
        if taken is None:
            raise errors.unavailable()
        await store.save(transaction, [taken])
        metrics.ALARMS.labels(SERVICE, "refund_failed").inc()
        extra = {"payment_id": payment.id, "call": failed.call, "amount": part.amount, "reason": failed.reason}
        _LOG.error("a refund failed after it had succeeded: give the money back in another way", extra=extra)

    async def _dispute(self, transaction: database.Transaction, payment: domain.Payment, told: notices.Dispute) -> None:
        before = await rows.dispute(transaction, told.id)
        if not notices.follows(before, told.state):
            return
        now = self._now()
        divided = replace(told, shares=notices.borne(payment, told.amount))
        part = await rows.save_dispute(transaction, payment, divided, now)
        booked = moves.book(payment, notices.postings(before, told.state, part), now)
        await store.save(transaction, [booked])
        if told.state is not notices.DisputeState.WON:
            metrics.ALARMS.labels(SERVICE, "payment_disputed").inc()
        extra = {"payment_id": payment.id, "dispute": told.id, "state": told.state, "reason": told.reason}
        _LOG.warning("a payment is disputed: answer at the provider", extra=extra)
