"""A worker of one effect that kills itself with SIGKILL at one line, named by DIE_AT: what is left is for others to find.

A test module's own script makes its service's effect and has it worked on here; `mortal.worker` runs it.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Generic, TypeVar

from services.chassis import clock, database, effects
from services.chassis.outbox import outbox
from tests.support import mortal

CLAIMED = "claimed"  # the row is leased, nobody was called
ANSWERED = "answered"  # what is outside did it, nobody wrote it down
WRITTEN = mortal.WRITTEN  # it is written, but not committed
COMMITTED = mortal.COMMITTED  # it is committed, and not yet published
POINTS = (CLAIMED, ANSWERED, WRITTEN, COMMITTED)

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")


class Mortal(Generic[Work, Outcome]):
    """A service's own effect, with deaths between its lines."""

    def __init__(self, effect: effects.Effect[Work, Outcome]) -> None:
        self._effect = effect
        self._point = os.environ["DIE_AT"]
        self._claimed = False

    async def claim(self, transaction: database.Transaction, most: int) -> Sequence[Work]:
        """What is due. Who is to die claims once: on a busy machine the lease may end before the line is reached."""
        if self._claimed and self._point:
            return ()
        claimed = await self._effect.claim(transaction, most)
        self._claimed = bool(claimed)
        return claimed

    async def perform(self, work: Work) -> Outcome:
        """Call out, with a death before and behind it."""
        self._die_if(CLAIMED)
        outcome = await self._effect.perform(work)
        self._die_if(ANSWERED)
        return outcome

    async def settle(self, transaction: database.Transaction, outcomes: Sequence[tuple[Work, Outcome]]) -> bool:
        """Write the outcomes, with a death behind that and one behind the commit."""
        more = await self._effect.settle(transaction, outcomes)
        self._die_if(WRITTEN)
        if self._point == COMMITTED:
            transaction.after_commit(mortal.die)
        return more

    def _die_if(self, point: str) -> None:
        if self._point == point:
            mortal.die()


async def work(effect: effects.Effect[Work, Outcome], publications: outbox.Publications) -> None:
    """Work on the rows of the database in TEST_DATABASE_URL until death, or the end of the block that runs this process."""
    db = database.Database(os.environ["TEST_DATABASE_URL"], outbox.Outbox(publications, clock.utc_now, lambda: None))
    await db.start()
    await effects.Worker(db, Mortal(effect), effects.Concurrency(idle_s=0.02, idle_most_s=0.05), name="mortal").start()
    await asyncio.sleep(120)
