"""A worker that kills itself with SIGKILL at one line, named by DIE_AT: what is left is for others to find.

It sends mail, or what CHANNEL names instead.
"""

import asyncio
import os
import signal
from collections.abc import Sequence

from services.chassis import clock, database, effects
from services.chassis.credentials import Credential
from services.chassis.outbox import outbox
from services.notification import clients, domain, events, store, text_messages, usecases, words
from services.notification.domain import Channel
from services.notification.settings import Settings
from tests.integration.notification import aws

CLAIMED = "claimed"  # the message is leased, nobody was called
ACCEPTED = "accepted"  # the server took it, nobody wrote it down
WRITTEN = "written"  # it is written, but not committed
COMMITTED = "committed"  # it is committed
POINTS = (CLAIMED, ACCEPTED, WRITTEN, COMMITTED)
LEASE_S = 0.6


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalSending(usecases.Sending):
    """The service's own effect, with deaths between its lines."""

    _claimed = False

    async def claim(self, transaction: database.Transaction, most: int) -> list[store.Claimed]:
        # Once: on a busy machine the lease may end before the line to die at is reached.
        claimed = [] if self._claimed else await super().claim(transaction, most)
        self._claimed = bool(claimed) or self._claimed
        return claimed

    async def perform(self, work: store.Claimed) -> domain.Result:
        self._die_if(CLAIMED)
        result = await super().perform(work)
        self._die_if(ACCEPTED)
        return result

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[store.Claimed, domain.Result]]
    ) -> bool:
        more = await super().settle(transaction, outcomes)
        self._die_if(WRITTEN)
        if os.environ["DIE_AT"] == COMMITTED:
            transaction.after_commit(_die)
        return more

    def _die_if(self, point: str) -> None:
        if os.environ["DIE_AT"] == point:
            _die()


def _sender(channel: Channel, url: str) -> clients.Mailer | text_messages.Sns:
    if channel is Channel.EMAIL:
        return clients.Mailer(Settings(smtp_url=Credential(url)), words.Templates(), now=clock.utc_now)
    return text_messages.Sns(channel, aws.settings(url), words.Templates())


async def _work() -> None:
    channel = Channel(os.environ.get("CHANNEL", Channel.EMAIL))
    sender = _sender(channel, os.environ["OUTSIDE_URL"])
    await sender.start()
    db = database.Database(
        os.environ["TEST_DATABASE_URL"], outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None)
    )
    await db.start()
    sending = MortalSending(channel, sender, lease_s=LEASE_S, most_attempts=3)
    await effects.Worker(db, sending, effects.Concurrency(idle_s=0.02, idle_most_s=0.05), name="mortal").start()
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(_work())
