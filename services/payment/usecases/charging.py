"""The calls to the provider, made by a worker out of every transaction.

If the process dies before it claims a payment, or after that and before it settles, the lease expires and another claim looks up
the outcome at the provider, with the same idempotency key; if it dies after it settled, the relay of the next process publishes
what was committed. So nothing is charged twice, and nothing is lost.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from services.chassis import clock, database, loops, metrics, postponed, tracing
from services.payment import domain, store
from services.payment.domain import moves
from services.payment.store import claims
from services.payment.usecases import SERVICE, returning

_LOG = logging.getLogger(__name__)


class Provider(Protocol):
    """Who holds and moves the money."""

    def room(self, most: int) -> int:
        """How many of `most` calls may be made now: none while the breaker is open."""

    async def call(self, payment: domain.Payment, *, repeated: bool, age_s: float = 0.0) -> domain.Outcome:
        """Do what the payment's state asks for. Raises nothing.

        A repeated call first looks up the outcome of the earlier attempts, the first of which was made age_s seconds ago.
        """


class Charging:
    """The calls to the provider, as an effect of `chassis/effects.py`."""

    def __init__(self, provider: Provider, *, now: clock.Clock, lease_s: float, confirm_poll_s: float = 10.0) -> None:
        self._provider = provider
        self._confirm_poll_s = confirm_poll_s
        self._now = now
        self._lease_s = lease_s

    async def claim(self, transaction: database.Transaction, most: int) -> list[claims.Claimed]:
        """Lease payments that are due. While the breaker is open they wait, and no attempt is counted."""
        room = self._provider.room(most)
        return await claims.claim(transaction, most=room, lease_s=self._lease_s) if room else []

    async def perform(self, work: claims.Claimed) -> domain.Outcome:
        """Call the provider."""
        outcome = await self._provider.call(work.payment, repeated=work.attempt > 1, age_s=work.age_s)
        said = outcome.input if isinstance(outcome, domain.Answer) else outcome
        metrics.EFFECTS.labels(SERVICE, work.payment.verb, said.lower()).inc()
        return outcome

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[claims.Claimed, domain.Outcome]]
    ) -> bool:
        """Write what the provider answered, with its events; what is not known is asked about later.

        Answers whether there are calls to make at once.
        """
        now = self._now()
        definite = [(claimed, outcome) for claimed, outcome in outcomes if isinstance(outcome, domain.Answer)]
        # Locked at once, those to be postponed too: what is locked later waits in another order than everybody's.
        ours = await claims.lock_claimed(transaction, [claimed for claimed, _ in outcomes])
        advances = []
        later = [self._later(claimed, outcome) for claimed, outcome in outcomes if isinstance(outcome, domain.Silence)]
        for claimed, answer in definite:
            # A payment that is not ours any more was claimed by another worker, or settled before: nothing is to be written.
            if claimed.key in ours:
                advance = moves.advance(ours[claimed.key], answer, now)
                if advance:
                    advances.append(advance)
                else:
                    later.append(_refused(claimed, answer))
        with tracing.causing({claimed.payment.order_id: claimed.traceparent for claimed, _ in definite}):
            await store.save(transaction, advances)
            transaction.emit(fact for advance in advances for fact in advance.facts)
            await returning.settle(transaction, advances)
        await claims.postpone(transaction, later)
        return any(advance.payment.verb for advance in advances)

    def _later(self, claimed: claims.Claimed, silence: domain.Silence) -> postponed.Postponed:
        if silence is not domain.Silence.WAITING:
            return _postponed(claimed, silence)
        wait_s = loops.backoff(claimed.attempt, first=postponed.FIRST_RETRY_S, most=self._confirm_poll_s)
        return postponed.Postponed(claimed.payment.id, claimed.epoch, wait_s, counted=True)


def _postponed(claimed: claims.Claimed, silence: domain.Silence) -> postponed.Postponed:
    if silence is domain.Silence.TOO_OLD:
        metrics.ALARMS.labels(SERVICE, "too_old_to_repeat").inc()
        extra = {"payment_id": claimed.payment.id, "state": claimed.payment.state, "age_s": round(claimed.age_s)}
        _LOG.error("provider has not done it and would not know it again: do it there by hand", extra=extra)
    counted = silence is not domain.Silence.NOT_ASKED
    return postponed.after(claimed.payment.id, claimed.epoch, attempt=claimed.attempt, counted=counted)


def _refused(claimed: claims.Claimed, answer: domain.Answer) -> postponed.Postponed:
    """Money that must be given back and that the provider says it will not: asked for again, and somebody is called."""
    metrics.ALARMS.labels(SERVICE, "give_back_refused").inc()
    extra = {"payment_id": claimed.payment.id, "state": claimed.payment.state, "reason": answer.reason}
    _LOG.error("provider refuses to give money back", extra=extra)
    return _postponed(claimed, domain.Silence.UNKNOWN)
