"""A mail worker that kills itself with SIGKILL at one line, named by DIE_AT: what is left is for others to find."""

import asyncio
import os
import signal
from collections.abc import Sequence

from services.chassis import clock, database, effects, outbox
from services.notification import clients, domain, events, store, usecases
from services.notification.settings import Settings

CLAIMED = "claimed"  # the message is leased, the mail server was not called
ACCEPTED = "accepted"  # the mail server took it, nobody wrote it down
WRITTEN = "written"  # it is written, but not committed
COMMITTED = "committed"  # it is committed
POINTS = (CLAIMED, ACCEPTED, WRITTEN, COMMITTED)
LEASE_S = 0.6


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalMailing(usecases.Mailing):
    """The service's own effect, with deaths between its lines."""

    async def perform(self, work: store.Claimed) -> domain.Result:
        self._die_if(CLAIMED)
        result = await super().perform(work)
        self._die_if(ACCEPTED)
        return result

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[store.Claimed, domain.Result]]
    ) -> None:
        await super().settle(transaction, outcomes)
        self._die_if(WRITTEN)
        if os.environ["DIE_AT"] == COMMITTED:
            transaction.after_commit(_die)

    def _die_if(self, point: str) -> None:
        if os.environ["DIE_AT"] == point:
            _die()


async def _work() -> None:
    mailer = clients.Mailer(Settings(smtp_url=os.environ["OUTSIDE_URL"]), clients.Templates(), now=clock.utc_now)
    await mailer.start()
    db = database.Database(
        os.environ["TEST_DATABASE_URL"], outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None)
    )
    await db.start()
    mailing = MortalMailing(mailer, lease_s=LEASE_S, most_attempts=3)
    await effects.Worker(db, mailing, effects.Limits(idle_s=0.02, idle_most_s=0.05), name="mortal").start()
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(_work())
