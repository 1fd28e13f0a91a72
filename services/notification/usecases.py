"""What can be done with messages: queueing them, sending them, reading what was sent.

No mail is sent inside a transaction. If the process dies before it claims a message, or after that and before it settles, the
lease ends and the message is sent by another claim; when it died between the server's yes and the commit, the customer gets
the message again, under the same Message-ID, by which mail programs and servers know it. Once it is settled it is never sent
again.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from services.chassis import clock, database, errors, idempotency, ids, loops, metrics, pages
from services.notification import domain, store
from services.notification.domain import Outcome, State

_LOG = logging.getLogger(__name__)

SERVICE = "notification"
# Seconds until a message is tried again: at first and at most, doubled each time, with jitter.
FIRST_RETRY_S = 1.0
MOST_RETRY_S = 300.0

QUEUES = database.Statement("""
SELECT 'mail', count(*), extract(epoch FROM clock_timestamp() - min(create_time)) FROM notifications
WHERE next_try_at IS NOT NULL
""")


class Words(Protocol):
    """What messages say."""

    def subject(self, letter: domain.Letter) -> str:
        """The subject line of a letter. Raises when its details lack what the template names."""


class Mailer(Protocol):
    """Who carries messages."""

    def room(self, most: int) -> int:
        """How many of `most` messages may be sent now: none while the mail server is away."""

    async def send(self, notification: domain.Notification, contact: domain.Contact) -> domain.Result:
        """Hand a message to the mail server, with its id as Message-ID. Raises nothing."""


class Notifications:
    """The use cases of messages. `wake` tells the worker that there are some to send."""

    def __init__(self, db: database.Database, words: Words, *, now: clock.Clock, wake: Callable[[], None]) -> None:
        self._db = db
        self._words = words
        self._now = now
        self._wake = wake

    async def register(self, transaction: database.Transaction, contacts: Sequence[domain.Contact]) -> None:
        """Learn whom to write to, and welcome them."""
        await store.keep(transaction, contacts)
        welcomes = [domain.Letter(c.user_id, domain.Template.WELCOME, c.user_id) for c in contacts]
        await self.queue(transaction, welcomes)

    async def refresh(self, transaction: database.Transaction, contacts: Sequence[domain.Contact]) -> None:
        """Learn how somebody is written to from now on. What is older than what is known changes nothing."""
        await store.keep(transaction, contacts)

    async def queue(self, transaction: database.Transaction, letters: Sequence[domain.Letter]) -> None:
        """Queue messages: one for each occasion and template, however often the event comes."""
        await store.add(transaction, [self._notification(letter) for letter in letters])
        transaction.after_commit(self._wake)

    async def send(self, message: domain.Message) -> domain.Notification:
        """Queue a message in an administrator's words; a repeated request finds what its first did.

        Raises USER_NOT_FOUND or REQUEST_ID_REUSED.
        """
        details = {"subject": message.subject, "lines": message.text.splitlines()}
        occasion_id = ids.new_id(self._now())
        letter = domain.Letter(message.user_id, domain.Template.MESSAGE, occasion_id, details)
        notification = self._notification(letter)
        async with self._db.transaction() as transaction:
            if not await store.is_known(transaction, message.user_id):
                raise errors.not_found("USER_NOT_FOUND", "there is no such user", user_id=message.user_id)
            made = await _claim(transaction, message, notification.id)
            if made == notification.id:
                await store.add(transaction, [notification])
                transaction.after_commit(self._wake)
        return notification if made == notification.id else await store.get(self._db, made)

    def _notification(self, letter: domain.Letter) -> domain.Notification:
        now = self._now()
        return domain.Notification(
            id=ids.new_id(now),
            user_id=letter.user_id,
            template=letter.template,
            occasion_id=letter.occasion_id,
            subject=self._words.subject(letter),
            details=letter.details,
            create_time=now,
        )

    async def list(self, user_id: str, page: pages.Page) -> pages.Slice[domain.Notification]:
        """A user's messages, newest first."""
        rows = await store.page_of(self._db, user_id, page)
        return pages.cut(rows, page, lambda notification: notification.id)


async def _claim(transaction: database.Transaction, message: domain.Message, notification_id: str) -> str:
    """The id of the message that this request makes, or made before. Raises REQUEST_ID_REUSED."""
    if not message.request_id:
        return notification_id
    claim = idempotency.Claim(message.actor, message.request_id, message.fingerprint, notification_id)
    [answer] = await idempotency.claim(transaction, [claim])
    if isinstance(answer, errors.DomainError):
        raise answer
    return answer


class Mailing:
    """The sending of mail, as an effect of `chassis/effects.py`."""

    def __init__(self, mailer: Mailer, *, lease_s: float, most_attempts: int) -> None:
        self._mailer = mailer
        self._lease_s = lease_s
        self._most_attempts = most_attempts

    async def claim(self, transaction: database.Transaction, most: int) -> list[store.Claimed]:
        """Lease messages that are due. While the mail server is away they wait, and no attempt is counted."""
        room = self._mailer.room(most)
        return await store.claim(transaction, most=room, lease_s=self._lease_s) if room else []

    async def perform(self, work: store.Claimed) -> domain.Result:
        """Send one message."""
        result = await self._mailer.send(work.notification, work.contact)
        metrics.EFFECTS.labels(SERVICE, work.notification.template, result.outcome).inc()
        return result

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[store.Claimed, domain.Result]]
    ) -> None:
        """Write what became of the messages."""
        await store.settle(transaction, [self._settled(claimed, result) for claimed, result in outcomes])

    def _settled(self, claimed: store.Claimed, result: domain.Result) -> store.Settled:
        state = domain.becomes(result, attempt=claimed.attempt, most_attempts=self._most_attempts)
        counted = result.outcome is not Outcome.AWAY
        wait_s = None
        if state is State.QUEUED:
            wait_s = loops.backoff(claimed.attempt if counted else 1, first=FIRST_RETRY_S, most=MOST_RETRY_S)
        if state is State.FAILED:
            extra = {"notification_id": claimed.notification.id, "reason": result.reason}
            _LOG.warning("message could not be sent", extra=extra)
        return store.Settled(claimed, state, result.reason, wait_s, counted)
