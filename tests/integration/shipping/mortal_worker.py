"""A worker of labels that kills itself with SIGKILL at one line, named by DIE_AT: what is left is for others to find."""

import asyncio
import os
import signal
from collections.abc import Sequence

from services.chassis import clock, credentials, database, effects
from services.chassis.outbox import outbox
from services.shipping import clients, events
from services.shipping.domain import parcels
from services.shipping.settings import Settings
from services.shipping.store import claims
from services.shipping.usecases import labelling

CLAIMED = "claimed"  # the parcel is leased, the carrier was not called
ANSWERED = "answered"  # the carrier did it, nobody wrote it down
WRITTEN = "written"  # it is written, but not committed
COMMITTED = "committed"  # it is committed, and not yet published
POINTS = (CLAIMED, ANSWERED, WRITTEN, COMMITTED)
LEASE_S = 1.5


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalLabelling(labelling.Labelling):
    """The service's own effect, with deaths between its lines."""

    async def perform(self, work: claims.Claimed) -> parcels.Outcome:
        self._die_if(CLAIMED)
        reply = await super().perform(work)
        self._die_if(ANSWERED)
        return reply

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[claims.Claimed, parcels.Outcome]]
    ) -> bool:
        more = await super().settle(transaction, outcomes)
        self._die_if(WRITTEN)
        if os.environ["DIE_AT"] == COMMITTED:
            transaction.after_commit(_die)
        return more

    def _die_if(self, point: str) -> None:
        if os.environ["DIE_AT"] == point:
            _die()


async def _work() -> None:
    url = credentials.Credential(os.environ["OUTSIDE_URL"])
    carrier = clients.Carrier(Settings(carrier_url=url, carrier_timeout_s=LEASE_S / 3, breaker_reset_s=0.5))
    await carrier.start()
    db = database.Database(
        os.environ["TEST_DATABASE_URL"], outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None)
    )
    await db.start()
    terms = labelling.Terms(LEASE_S, track_s=1.0)
    labels = MortalLabelling(carrier, now=clock.utc_now, terms=terms, wake=lambda: None)
    limits = effects.Concurrency(idle_s=0.02, idle_most_s=0.05)
    await effects.Worker(db, labels, limits, name="mortal").start()
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(_work())
