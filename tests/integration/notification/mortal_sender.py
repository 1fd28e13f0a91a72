"""A service that sends a message for an administrator and kills itself with SIGKILL at its commit, before it or behind it."""

import asyncio
import os

from services.chassis import clock
from services.notification import domain, events, usecases, words
from tests.support import mortal

MODULE = "tests.integration.notification.mortal_sender"


def message(user_id: str, request_id: str) -> domain.Message:
    """A message that the test and this process send in the same words."""
    return domain.Message(user_id, "Hello", "One\nTwo", "admin", request_id, b"same")


async def _do() -> None:
    async with mortal.opened_to_die(events.PUBLISHED) as db:
        notifications = usecases.Notifications(
            db, words.Templates(), now=clock.utc_now, wakes=dict.fromkeys(domain.Channel, lambda: None)
        )
        await notifications.send(message(os.environ["USER_ID"], os.environ["REQUEST_ID"]))


if __name__ == "__main__":
    asyncio.run(_do())
