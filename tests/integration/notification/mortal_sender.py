"""A service that sends a message for an administrator and kills itself with SIGKILL at its commit, before it or behind it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.chassis import clock, database
from services.chassis.outbox import outbox
from services.notification import domain, events, usecases, words
from tests.support import mortal

MODULE = "tests.integration.notification.mortal_sender"


def message(user_id: str, request_id: str) -> domain.Message:
    """A message that the test and this process send in the same words."""
    return domain.Message(user_id, "Hello", "One\nTwo", "admin", request_id, b"same")


class MortalDatabase(database.Database):
    """The database, with a death behind the last row of a transaction, or behind its commit."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        async with super().transaction() as transaction:
            yield transaction
            if os.environ["DIE_AT"] == mortal.WRITTEN:
                mortal.die()
            transaction.after_commit(mortal.die)


async def _do() -> None:
    db = MortalDatabase(os.environ["DATABASE_URL"], outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None))
    await db.start()
    notifications = usecases.Notifications(
        db, words.Templates(), now=clock.utc_now, wakes=dict.fromkeys(domain.Channel, lambda: None)
    )
    await notifications.send(message(os.environ["USER_ID"], os.environ["REQUEST_ID"]))


if __name__ == "__main__":
    asyncio.run(_do())
