"""What can be done with messages: queueing them, sending them, reading what was sent; and with people's wishes about them.

Nothing is sent inside a transaction. If the process dies before it claims a message, or after that and before it settles, the
lease expires and another claim sends the message; when it died between the server's yes and the commit, the customer gets
the message again. A mail has the same Message-ID then, by which mail programs and servers know it, and a push message the same
notification_id, for the app; a text message can not be told from the first. Once it is settled it is never sent again.
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from services.chassis import clock, database, errors, idempotency, ids, loops, metrics, pages
from services.notification import domain, store
from services.notification.domain import Channel, Outcome, State

_LOG = logging.getLogger(__name__)

SERVICE = "notification"
# Seconds until a message is tried again: at first and at most, doubled each time, with jitter.
FIRST_RETRY_S = 1.0
MOST_RETRY_S = 300.0

# Messages whose contact is not known are a queue of their own: no mail server is late with them. Nor is anybody with those that
# wait for the end of quiet hours: they are not counted, and then from that end on.
QUEUES = database.Statement("""
WITH waiting AS (
  SELECT CASE WHEN c.user_id IS NULL THEN 'without_contact' ELSE lower(n.channel) END AS queue,
    CASE WHEN n.reason = 'QUIET_HOURS' THEN n.next_try_at ELSE n.create_time END AS create_time
  FROM notifications AS n LEFT JOIN contacts AS c USING (user_id)
  WHERE n.next_try_at IS NOT NULL AND (n.reason <> 'QUIET_HOURS' OR n.next_try_at <= clock_timestamp()))
SELECT queue, count(w.create_time), extract(epoch FROM clock_timestamp() - min(w.create_time))
FROM unnest(ARRAY['email', 'sms', 'push', 'without_contact']) AS q(queue)
LEFT JOIN waiting AS w USING (queue) GROUP BY queue
""")


class Words(Protocol):
    """What messages say."""

    def subject(self, letter: domain.Letter, language: domain.Language) -> str:
        """The subject line of a letter in a language. Raises when its details lack what the template names."""


class Sender(Protocol):
    """Who carries the messages of one channel."""

    def room(self, most: int) -> int:
        """How many of `most` messages may be sent now: none while the channel's server is unavailable."""

    async def send(self, notification: domain.Notification, contact: domain.Contact) -> domain.Result:
        """Hand a message over, with its id where the channel has a place for it. Raises nothing."""


class Preferences:
    """The use cases of people's wishes."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def get(self, user_id: str, *, owner_id: str | None) -> domain.Preferences:
        """What somebody wants. owner_id: whose wishes the caller may see (None: everybody's). Raises USER_NOT_FOUND."""
        async with self._db.transaction() as transaction:
            found = await store.preferences_of(transaction, [user_id])
            # One's own account may be newer than the news of it.
            seen = user_id == owner_id or (owner_id is None and (found or await store.is_known(transaction, user_id)))
            if not seen:
                raise _user_not_found(user_id)
        return found.get(user_id, domain.Preferences(user_id))

    async def update(self, user_id: str, change: domain.PreferencesChange) -> domain.Preferences:
        """Change what somebody wants, for messages queued from now on.

        Quiet hours hold for those that wait, too: they are looked at again. Raises CHANNEL_REQUIRED, CHANNEL_WITHOUT_ADDRESS
        or TIME_ZONE_UNKNOWN.
        """
        async with self._db.transaction() as transaction:
            new = domain.changed(await store.lock_preferences(transaction, user_id), change)
            await store.save_preferences(transaction, new)
            if change.quiet_hours is not None:
                await store.hurry(transaction, [user_id])
        return new


class Notifications:
    """The use cases of messages. `wakes` tell the workers of the channels that there are some to send."""

    def __init__(
        self, db: database.Database, words: Words, *, now: clock.Clock, wakes: Mapping[Channel, Callable[[], None]]
    ) -> None:
        self._db = db
        self._words = words
        self._now = now
        self._wakes = wakes

    async def register(self, transaction: database.Transaction, contacts: Sequence[domain.Contact]) -> None:
        """Learn whom to write to, and welcome them."""
        await store.keep(transaction, contacts)
        welcomes = [domain.Letter(c.user_id, domain.Template.WELCOME, c.user_id) for c in contacts]
        await self.queue(transaction, welcomes)

    async def refresh(self, transaction: database.Transaction, contacts: Sequence[domain.Contact]) -> None:
        """Learn how somebody is written to from now on. What is older than what is known changes nothing."""
        await store.keep(transaction, contacts)

    async def queue(self, transaction: database.Transaction, letters: Sequence[domain.Letter]) -> None:
        """Queue messages: one for each occasion, template and chosen channel, however often the event comes."""
        wishes = await store.preferences_of(transaction, (letter.user_id for letter in letters))
        notifications = []
        for letter in letters:
            preferences = wishes.get(letter.user_id, domain.Preferences(letter.user_id))
            channels = preferences.channels(letter.template.kind)
            notifications += self._notifications(letter, channels, preferences.language)
        await self._add(transaction, notifications)

    async def send(self, message: domain.Message) -> domain.Notification:
        """Queue a message in the words of whoever sends it, and answer with its copy for the first channel.

        A repeated request finds what its first did. Raises USER_NOT_FOUND, CHANNEL_NOT_CHOSEN or REQUEST_ID_REUSED.
        """
        details = {"subject": message.subject, "lines": message.text.splitlines(), "kind": message.kind}
        details |= {"to": message.email} if message.email else {}
        # The occasion is the first copy's id: so a request is claimed before it is known which copies there will be.
        occasion_id = ids.new_id(self._now())
        letter = domain.Letter(message.user_id, domain.Template.MESSAGE, occasion_id, details, message.sensitive)
        async with self._db.transaction() as transaction:
            if not message.early and not await store.is_known(transaction, message.user_id):
                raise _user_not_found(message.user_id)
            made = await idempotency.claim_one(transaction, _claim_of(message, occasion_id))
            if made == occasion_id:
                wishes = await store.preferences_of(transaction, [message.user_id])
                preferences = wishes.get(message.user_id, domain.Preferences(message.user_id))
                channels = domain.channels_of(message, preferences)
                first, *others = self._notifications(letter, channels, preferences.language)
                first = dataclasses.replace(first, id=occasion_id)
                await self._add(transaction, [first, *others])
        return first if made == occasion_id else await store.get(self._db, made)

    def _notifications(
        self, letter: domain.Letter, channels: Sequence[Channel], language: domain.Language
    ) -> list[domain.Notification]:
        now = self._now()
        subject = self._words.subject(letter, language)
        return [
            domain.Notification(
                id=ids.new_id(now),
                user_id=letter.user_id,
                template=letter.template,
                occasion_id=letter.occasion_id,
                subject=subject,
                # Said with the message: it ends in the language that it begins in.
                details={**letter.details, "language": language},
                create_time=now,
                channel=channel,
                sensitive=letter.sensitive,
            )
            for channel in channels
        ]

    async def _add(self, transaction: database.Transaction, notifications: Sequence[domain.Notification]) -> None:
        if notifications:
            await store.add(transaction, notifications)
        for channel in {notification.channel for notification in notifications}:
            transaction.after_commit(self._wakes[channel])

    async def list(self, user_id: str, page: pages.Page) -> pages.Slice[domain.Notification]:
        """A user's messages, newest first."""
        rows = await store.page_of(self._db, user_id, page)
        return pages.cut(rows, page, lambda notification: notification.id)


def _claim_of(message: domain.Message, notification_id: str) -> idempotency.Claim:
    return idempotency.Claim(message.actor, message.request_id, message.fingerprint, notification_id)


def _user_not_found(user_id: str) -> errors.DomainError:
    return errors.not_found("USER_NOT_FOUND", "the user does not exist", user_id=user_id)


class Unaddressed:
    """The messages of users whose contact has not arrived. `work` is the body of a loop."""

    def __init__(self, db: database.Database, *, give_up_s: float) -> None:
        self._db = db
        self._give_up_s = give_up_s

    async def work(self) -> int:
        """Put off those that are due, and give up those that waited too long: how many. Raises TransientError."""
        waiting, failed = await store.put_off(self._db, give_up_s=self._give_up_s)
        if failed:
            metrics.ALARMS.labels(SERVICE, "contact_unknown").inc(failed)
            extra = {"messages": failed, "waited_s": self._give_up_s}
            _LOG.error("messages given up: their users' contacts never arrived", extra=extra)
        return waiting


class Sending:
    """The sending of one channel's messages, as an effect of `chassis/effects.py`."""

    def __init__(self, channel: Channel, sender: Sender, *, lease_s: float, most_attempts: int) -> None:
        self._channel = channel
        self._sender = sender
        self._lease_s = lease_s
        self._most_attempts = most_attempts

    async def claim(self, transaction: database.Transaction, most: int) -> list[store.Claimed]:
        """Lease messages that are due. While the channel's server is unavailable they wait, and no attempt is counted."""
        room = self._sender.room(most)
        return await store.claim(transaction, self._channel, most=room, lease_s=self._lease_s) if room else []

    async def perform(self, work: store.Claimed) -> domain.Result:
        """Send one message."""
        result = await self._send(work)
        effect = f"{self._channel.lower()}.{work.notification.template}"
        metrics.EFFECTS.labels(SERVICE, effect, result.outcome).inc()
        return result

    async def _send(self, work: store.Claimed) -> domain.Result:
        if work.notification.kind in domain.PATIENT and (wait_s := work.quiet_hours.wait_s(work.time)):
            return domain.Result(Outcome.QUIET, store.QUIET_HOURS, wait_s)
        recipient = work.notification.recipient(work.contact)
        if not recipient.address(self._channel):
            # It was there when the message was queued; its owner has taken it back.
            return domain.Result(Outcome.REFUSED, "ADDRESS_MISSING")
        if self._channel is Channel.EMAIL and recipient.bounces:
            return domain.Result(Outcome.REFUSED, "ADDRESS_BOUNCED")
        return await self._sender.send(work.notification, recipient)

    async def settle(
        self, transaction: database.Transaction, outcomes: Sequence[tuple[store.Claimed, domain.Result]]
    ) -> bool:
        """Write the outcomes of the messages. None becomes due at once by them."""
        await store.settle(transaction, [self._settled(claimed, result) for claimed, result in outcomes])
        return False

    def _settled(self, claimed: store.Claimed, result: domain.Result) -> store.Settled:
        state = domain.becomes(result, attempt=claimed.attempt, most_attempts=self._most_attempts)
        counted = result.outcome not in (Outcome.AWAY, Outcome.QUIET)
        wait_s = None
        if state is State.QUEUED:
            tried = claimed.attempt if counted else 1
            wait_s = result.wait_s or loops.backoff(tried, first=FIRST_RETRY_S, most=MOST_RETRY_S)
        if state is State.FAILED:
            extra = {
                "notification_id": claimed.notification.id,
                "channel": self._channel,
                "reason": result.reason,
            }
            _LOG.warning("message could not be sent", extra=extra)
        return store.Settled(claimed, state, result.reason, wait_s, counted)
