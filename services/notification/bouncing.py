"""What follows from what is told of mail that was sent: it came back, or its reader complained. Each news counts once.

News and what follows from them are one transaction: if the process dies before it commits, they are told again, and after that
they change nothing. What comes back once will come back again, and whoever sends there all the same is taken for a spammer.
"""

import logging
from datetime import timedelta

from services.chassis import database
from services.notification import domain, store, unsubscribing
from services.notification.domain import Kind, News
from services.notification.store import feedback as rows
from services.notification.unsubscribing import Subscription

_LOG = logging.getLogger(__name__)

# Far longer than a relay repeats what it was not answered.
KEPT = timedelta(days=30)
_FORGOTTEN_AT_ONCE = 5000


class Bouncing:
    """Hears news of mail that was sent."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def hear(self, feedback: domain.Feedback) -> None:
        """Do what follows from news. What was told before, or is of no concern, changes nothing. Raises TransientError."""
        if feedback.news is None:
            return
        async with self._db.transaction() as transaction:
            if await rows.record(transaction, feedback):
                await self._follow(transaction, feedback)

    async def forget(self) -> int:
        """Delete the notes of news that are not repeated any more: how many. The body of a loop."""
        return await rows.forget(self._db, kept=KEPT, most=_FORGOTTEN_AT_ONCE)

    async def _follow(self, transaction: database.Transaction, feedback: domain.Feedback) -> None:
        user_id = await rows.reader_of(transaction, feedback.notification_id)
        extra = {"feedback": feedback.id, "notification_id": feedback.notification_id, "why": feedback.why}
        if not user_id:
            _LOG.warning("news of a mail that is not ours, or without its headers", extra=extra)
        elif feedback.news is News.BOUNCED:
            # Contacts before messages: in this order everybody locks them.
            suppressed = await rows.suppress(transaction, user_id, feedback)
            await rows.fail(transaction, feedback)
            _LOG.warning("mail came back", extra=extra | {"suppressed": suppressed})
        elif await store.is_known(transaction, user_id):
            await unsubscribing.end(transaction, Subscription(user_id, Kind.MARKETING))
            _LOG.warning("a reader complained about mail", extra=extra)
