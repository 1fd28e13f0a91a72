"""The carrier's labels: bought and voided, as an effect of `chassis/effects.py`.

No call is made inside a transaction. If the process dies before it claims a parcel, or after that and before it settles, the
lease expires and another claim asks the carrier first, and then repeats with the parcel's own key: a label is bought once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis import clock, database, metrics, postponed, tracing
from services.shipping import store
from services.shipping.domain import parcels
from services.shipping.store import claims
from services.shipping.usecases import telling

# What was wanted so long ago may have been asked for by a worker that a restored database knows nothing of, in seconds.
ASKED_BEFORE_S = 3600.0


class Labels(Protocol):
    """Who sells labels."""

    def room(self, most: int) -> int:
        """How many of `most` calls may be made now: none while the breaker is open."""

    async def call(self, parcel: parcels.Parcel, *, ask_first: bool) -> parcels.Outcome:
        """Do what the parcel's state asks for, unless `ask_first` finds that it was done. Raises nothing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How labels are dealt with. lease_s: how long a claimed parcel is this process's. track_s: see `tracking.py`.

    automatic: there is no warehouse whose people say what they do; a parcel is the carrier's as soon as it has a label.
    """

    lease_s: float
    track_s: float
    automatic: bool = False


class Labelling:
    """The calls about labels. `wake` tells the follower that parcels were handed over."""

    def __init__(self, carrier: Labels, *, now: clock.Clock, terms: Terms, wake: Callable[[], None]) -> None:
        self._carrier = carrier
        self._now = now
        self._terms = terms
        self._wake = wake

    async def claim(self, transaction: database.Transaction, most: int) -> list[claims.Claimed]:
        """Lease parcels that are due. While the breaker is open they wait, and no attempt is counted."""
        room = self._carrier.room(most)
        return await claims.claim(transaction, most=room, lease_s=self._terms.lease_s) if room else []

    async def perform(self, work: claims.Claimed) -> parcels.Outcome:
        """Call the carrier."""
        outcome = await self._carrier.call(work.parcel, ask_first=work.attempt > 1 or work.age_s > ASKED_BEFORE_S)
        said = outcome.input if isinstance(outcome, parcels.Happening) else outcome
        metrics.EFFECTS.labels(store.SERVICE, work.parcel.verb, said.lower()).inc()
        return outcome

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[claims.Claimed, parcels.Outcome]]
    ) -> bool:
        """Write what the carrier answered, with its events; what is not known is asked about later.

        Answers whether there are calls to make at once.
        """
        by_order = await store.lock(transaction, sorted({claimed.parcel.order_id for claimed, _ in outcomes}))
        ours = await claims.ours(transaction, [claimed for claimed, _ in outcomes])
        locked = {parcel.id: parcel for found in by_order.values() for parcel in found}
        later = [_postponed(claimed, outcome) for claimed, outcome in outcomes if isinstance(outcome, parcels.Silence)]
        moved = []
        definite = [(claimed, outcome) for claimed, outcome in outcomes if isinstance(outcome, parcels.Happening)]
        for claimed, answer in definite:
            # A parcel that is not ours any more was claimed by another worker, or settled before: nothing is to be written.
            if claimed.parcel.id in ours and (advance := self._answered(locked[claimed.parcel.id], answer)):
                moved.append(advance)
        with tracing.causing({claimed.parcel.order_id: claimed.traceparent for claimed, _ in definite}):
            await store.save(transaction, moved, track_s=self._terms.track_s)
            transaction.emit(telling.told(moved, by_order))
        await claims.postpone(transaction, later)
        transaction.after_commit(self._wake)
        return any(advance.parcel.verb for advance in moved)

    def _answered(self, parcel: parcels.Parcel, answer: parcels.Happening) -> parcels.Advance | None:
        if answer.label and answer.input is parcels.Input.LABEL_BOUGHT:
            return parcels.labelled(parcel, answer.label, self._now(), automatic=self._terms.automatic)
        return parcels.advance(parcel, [answer], self._now())


def _postponed(claimed: claims.Claimed, silence: parcels.Silence) -> postponed.Postponed:
    counted = silence is not parcels.Silence.NOT_ASKED
    return postponed.after(claimed.parcel.id, claimed.epoch, attempt=claimed.attempt, counted=counted)
