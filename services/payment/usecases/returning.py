"""The refunds of returns: heard from orders, begun one at a time for each payment, and answered once.

An inspection that is heard becomes a row. A loop begins what is due: from then on the payment gives back a part of itself by the
return's id, as for anybody who wants a refund, and the worker asks the provider. What the provider answers settles the row in the
transaction that settles the payment. If the process dies between any two of these, the next one finds the row where it is.
"""

import logging
from collections.abc import Callable, Sequence

from services.chassis import clock, database, metrics
from services.payment import store
from services.payment.domain import moves, returns
from services.payment.store import returns as rows
from services.payment.usecases import SERVICE

_LOG = logging.getLogger(__name__)

# Refunds that are begun in one transaction.
BEGUN_AT_ONCE = 200
# The longest wait of a refund that another of its payment, or the provider, has held up. Seconds.
MOST_WAIT_S = 60.0


class Returning:
    """The use cases of the refunds of returns. `wake` tells the worker that there are calls to make."""

    def __init__(self, db: database.Database, *, now: clock.Clock, wake: Callable[[], None]) -> None:
        self._db = db
        self._now = now
        self._wake = wake

    async def hear(self, transaction: database.Transaction, wanted: Sequence[returns.Wanted]) -> None:
        """Write down what is to be given back for these returns, each once."""
        await rows.add(transaction, wanted)

    async def begin(self) -> int:
        """Begin the refunds that are due and whose payments have nothing else to do: how many were due. Raises TransientError."""
        async with self._db.transaction() as transaction:
            due = await rows.lock_due(transaction, BEGUN_AT_ONCE)
            if due:
                await self._begin(transaction, due)
        return len(due)

    async def _begin(self, transaction: database.Transaction, due: Sequence[returns.Wanted]) -> None:
        locked = await store.lock(transaction, [wanted.order_id for wanted in due])
        payments = {payment.order_id: payment for payment in locked}
        advances: list[moves.Advance] = []
        nothing: list[returns.ReturnRefundSettled] = []
        later: list[str] = []
        for wanted in due:
            payment = payments.get(wanted.order_id)
            match returns.begin(payment, wanted, self._now()) if payment else None:
                case moves.Advance() as begun:
                    # The payment's other refunds find it busy.
                    payments[wanted.order_id] = begun.payment
                    advances.append(begun)
                case returns.ReturnRefundSettled() as settled:
                    nothing.append(settled)
                case None:
                    later.append(wanted.return_id)
        await store.save(transaction, advances)
        for advance in advances:
            await store.add_refund(transaction, advance.payment, actor=returns.ACTOR, reason=returns.REASON)
        await rows.begun(transaction, [advance.payment.refund_id for advance in advances])
        await rows.settle(transaction, {item.return_id: 0 for item in nothing})
        await rows.postpone(transaction, later, most_s=MOST_WAIT_S)
        transaction.emit(nothing)
        transaction.after_commit(self._wake)


async def settle(transaction: database.Transaction, advances: Sequence[moves.Advance]) -> None:
    """Answer the refunds of returns that these payments, which the provider answered for, are done with."""
    done = [advance for advance in advances if _done(advance)]
    given = {item.before.refund_id: item.payment.refunded - item.before.refunded for item in done}
    settled = await rows.settle(transaction, {refund: amount for refund, amount in given.items() if amount})
    refused = await rows.refuse(
        transaction, [refund for refund, amount in given.items() if not amount], most_s=MOST_WAIT_S
    )
    transaction.emit(
        returns.ReturnRefundSettled(item.payment, item.before.refund_id, given[item.before.refund_id])
        for item in done
        if item.before.refund_id in settled
    )
    for refund_id in refused:
        metrics.ALARMS.labels(SERVICE, "give_back_refused").inc()
        _LOG.error("provider refuses to give money back for a return", extra={"return_id": refund_id})


def _done(advance: moves.Advance) -> bool:
    return bool(advance.before.refund_id) and advance.payment.refund_id != advance.before.refund_id
