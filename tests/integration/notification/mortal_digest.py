"""A digest that kills itself with SIGKILL at its commit, before it or behind it: what is left is for others to find."""

import asyncio
import os
from collections.abc import Sequence

from services.chassis import clock, database
from services.chassis.outbox import outbox
from services.notification import digests, domain, events, usecases
from tests.integration.notification import post_office as offices
from tests.support import mortal

MODULE = "tests.integration.notification.mortal_digest"


class _MortalNotifications(usecases.Notifications):
    """The service's own, with a death behind the last row."""

    async def queue(self, transaction: database.Transaction, letters: Sequence[domain.Letter]) -> None:
        await super().queue(transaction, letters)
        if os.environ["DIE_AT"] == mortal.WRITTEN:
            mortal.die()
        transaction.after_commit(mortal.die)


async def _do() -> None:
    emitter = outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None)
    db = database.Database(os.environ["DATABASE_URL"], emitter)
    await db.start()
    notifications = _MortalNotifications(db, offices.WORDS, now=clock.utc_now, wakes=offices.QUIET)
    vendors = offices.Shelves({os.environ["SKU"]: os.environ["VENDOR"]})
    await digests.Digests(db, notifications, vendors, every_s=0.0, now=clock.utc_now).work()


if __name__ == "__main__":
    asyncio.run(_do())
