"""A process that hears that a mail came back, and kills itself with SIGKILL at the commit of what follows."""

import asyncio
import os

from services.notification import bouncing, domain, events
from services.notification.domain import News
from tests.support import mortal

MODULE = "tests.integration.notification.mortal_bounce"


def feedback(feedback_id: str, message: str, address: str) -> domain.Feedback:
    """News that the test and this process hear in the same words."""
    return domain.Feedback(feedback_id, News.BOUNCED, message, (address,), "General 5.1.1")


async def _do() -> None:
    environ = os.environ
    async with mortal.opened_to_die(events.PUBLISHED) as db:
        await bouncing.Bouncing(db).hear(feedback(environ["FEEDBACK"], environ["MESSAGE"], environ["ADDRESS"]))


if __name__ == "__main__":
    asyncio.run(_do())
