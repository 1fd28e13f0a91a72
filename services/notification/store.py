"""The rows of messages: `contacts` and `notifications`, people's `preferences`, and `low_stock`, of which vendors are told.

Every write takes a list and is one statement. Rows become domain values here and nowhere else. When a message is tried next is
compared with and set by the database's clock, so that no process's clock can be wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import database, pages
from services.chassis.schema import ID, TIME
from services.notification import domain

METADATA = MetaData()

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("email", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("email_verified", Boolean, nullable=False),
)
NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("template", Text, nullable=False),
    Column("occasion_id", ID, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("send_time", TIME, nullable=True),
    Column("next_try_at", TIME, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    Index("uq_notifications_occasion", "occasion_id", "template", "channel", unique=True),
    Index("ix_notifications_due", "channel", "next_try_at", postgresql_where="next_try_at IS NOT NULL"),
    Index("ix_notifications_user_id", "user_id", "id"),
)

PREFERENCES = Table(
    "preferences",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("choices", JSONB, nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("push_endpoint", Text, nullable=False),
    Column("language", Text, nullable=False),
)

LOW_STOCK = Table(
    "low_stock",
    METADATA,
    Column("sku", Text, primary_key=True),
    Column("available", BigInteger, nullable=False),
    Column("threshold", BigInteger, nullable=False),
    Column("since", TIME, nullable=False),
)

UNSUBSCRIBE_KEY = Table(
    "unsubscribe_key",
    METADATA,
    Column("one", Boolean, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
)

# Seconds until a message whose contact is not known is due again, at first and at most; in between as long as it has waited.
# Events of different topics overtake each other, so the contact mostly arrives within the first of them.
CONTACT_WAIT_FIRST_S = 1.0
CONTACT_WAIT_MOST_S = 300.0
# How many of them are put off in one statement.
PUT_OFF_AT_ONCE = 5000
CONTACT_UNKNOWN = "CONTACT_UNKNOWN"
ACCOUNT_ERASED = "ACCOUNT_ERASED"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process may send until its lease expires, and its recipient. attempt counts from 1."""

    notification: domain.Notification
    contact: domain.Contact
    attempt: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What a claimed message became. wait_s: until it is tried again (None: it is not). counted: an attempt was made."""

    claimed: Claimed
    state: domain.State
    reason: str
    wait_s: float | None
    counted: bool


# Of an erased user nothing is left but which messages there were, and when. What was not sent yet has no contact any more.
ERASE = (
    database.Statement("DELETE FROM contacts WHERE user_id = ANY(%(users)s::uuid[])"),
    database.Statement("DELETE FROM preferences WHERE user_id = ANY(%(users)s::uuid[])"),
    database.Statement("""
UPDATE notifications SET subject = '', details = '{}'
WHERE user_id = ANY(%(users)s::uuid[]) AND next_try_at IS NULL AND (subject <> '' OR details <> '{}')
"""),
)

_N = NOTIFICATIONS.c
_CONTACT_COLUMNS = ("user_id", "email", "display_name", "version", "email_verified")
_COLUMNS = (
    "id",
    "user_id",
    "template",
    "occasion_id",
    "subject",
    "details",
    "create_time",
    "state",
    "channel",
    "sensitive",
)
_SHOWN = [_N[name] for name in _COLUMNS]

_UPSERT = database.insert_given(CONTACTS, *_CONTACT_COLUMNS)
_UPSERT_CONTACTS = database.Statement(
    _UPSERT.on_conflict_do_update(
        index_elements=["user_id"],
        set_={name: _UPSERT.excluded[name] for name in _CONTACT_COLUMNS},
        where=CONTACTS.c.version < _UPSERT.excluded.version,
    )
)
_INSERT = database.Statement(
    database.insert_given(NOTIFICATIONS, *_COLUMNS).on_conflict_do_nothing(
        index_elements=["occasion_id", "template", "channel"]
    )
)
# Messages whose contact is not known are not claimed, and so take no place of those behind them.
_CLAIM = database.Statement("""
WITH due AS MATERIALIZED (
  SELECT n.id, n.user_id, c.email, c.display_name, c.version, c.email_verified
  FROM notifications AS n JOIN contacts AS c USING (user_id)
  WHERE n.channel = %(channel)s AND n.next_try_at <= statement_timestamp()
  ORDER BY n.next_try_at LIMIT %(most)s FOR UPDATE OF n SKIP LOCKED),
addressed AS (
  SELECT due.*, p.phone_number, p.push_endpoint FROM due LEFT JOIN preferences AS p USING (user_id))
UPDATE notifications AS n SET epoch = n.epoch + 1, attempts = n.attempts + 1,
  next_try_at = clock_timestamp() + make_interval(secs => %(lease)s::float8)
FROM addressed AS a WHERE n.id = a.id
RETURNING n.id, n.user_id, n.template, n.occasion_id, n.subject, n.details, n.create_time, n.state, n.channel,
  n.sensitive, a.email, a.display_name, a.version, coalesce(a.phone_number, ''), coalesce(a.push_endpoint, ''),
  a.email_verified, n.attempts, n.epoch
""")
_PUT_OFF = database.Statement("""
WITH waiting AS MATERIALIZED (
  SELECT n.id, n.user_id, extract(epoch FROM clock_timestamp() - n.create_time)::float8 AS age_s
  FROM notifications AS n
  WHERE n.channel = ANY(ARRAY['EMAIL', 'SMS', 'PUSH']) AND n.next_try_at <= statement_timestamp()
    AND NOT EXISTS (SELECT FROM contacts AS c WHERE c.user_id = n.user_id)
  LIMIT %(most)s FOR UPDATE OF n SKIP LOCKED),
judged AS (
  SELECT w.id, w.age_s, CASE WHEN e.user_id IS NOT NULL THEN %(erased)s
    WHEN w.age_s >= %(give_up)s THEN %(unknown)s ELSE '' END AS failure
  FROM waiting AS w LEFT JOIN erased_users AS e USING (user_id))
UPDATE notifications AS n SET epoch = n.epoch + 1,
  state = CASE WHEN j.failure <> '' THEN 'FAILED' ELSE n.state END,
  reason = CASE WHEN j.failure <> '' THEN j.failure ELSE n.reason END,
  details = CASE WHEN j.failure = %(erased)s OR j.failure <> '' AND n.sensitive THEN '{}' ELSE n.details END,
  next_try_at = CASE WHEN j.failure = ''
    THEN clock_timestamp() + make_interval(secs => least(greatest(j.age_s, %(first)s), %(longest)s)) END
FROM judged AS j WHERE n.id = j.id
RETURNING j.failure
""")
# A message that was tried, or is being sent, is due when its retry or its lease says; only those never tried are hurried.
_HURRY = database.Statement("""
UPDATE notifications SET next_try_at = clock_timestamp()
WHERE user_id = ANY(%(user_id)s::uuid[]) AND attempts = 0 AND next_try_at > statement_timestamp()
""")
_SETTLE = database.Statement("""
UPDATE notifications AS n SET state = g.state, reason = g.reason, epoch = n.epoch + 1,
  send_time = CASE WHEN g.state = 'SENT' THEN clock_timestamp() END,
  next_try_at = clock_timestamp() + make_interval(secs => g.wait),
  attempts = n.attempts - CASE WHEN g.counted THEN 0 ELSE 1 END,
  details = CASE WHEN n.sensitive AND g.state <> 'QUEUED' THEN '{}' ELSE n.details END
FROM unnest(%(id)s::uuid[], %(epoch)s::bigint[], %(state)s::text[], %(reason)s::text[], %(wait)s::float8[],
  %(counted)s::boolean[]) AS g(id, epoch, state, reason, wait, counted)
WHERE n.id = g.id AND n.epoch = g.epoch
""")
_P = PREFERENCES.c
_PREFERENCES_COLUMNS = ("user_id", "choices", "phone_number", "push_endpoint", "language")
_ALL_OF_PREFERENCES = [_P[name] for name in _PREFERENCES_COLUMNS]
_PREFERENCES_OF = database.Statement(
    select(*_ALL_OF_PREFERENCES).where(_P.user_id == func.any(bindparam("user_id", type_=ARRAY(ID))))
)
_BEGIN_PREFERENCES = database.Statement("""
INSERT INTO preferences (user_id) VALUES (%(user_id)s) ON CONFLICT DO NOTHING
""")
_LOCK_PREFERENCES = database.Statement(
    select(*_ALL_OF_PREFERENCES).where(_P.user_id == bindparam("user_id", type_=ID)).with_for_update()
)
_SAVE_PREFERENCES = database.Statement("""
UPDATE preferences SET choices = %(choices)s, phone_number = %(phone_number)s, push_endpoint = %(push_endpoint)s,
  language = %(language)s
WHERE user_id = %(user_id)s
""")
# What fell low again before it was told waits no longer for it.
_NOTE_LOW = database.Statement("""
INSERT INTO low_stock (sku, available, threshold, since)
SELECT sku, available, threshold, clock_timestamp()
FROM unnest(%(sku)s::text[], %(available)s::bigint[], %(threshold)s::bigint[]) AS g(sku, available, threshold)
ON CONFLICT (sku) DO UPDATE SET available = excluded.available, threshold = excluded.threshold
""")
_LOW_DUE = database.Statement("""
SELECT sku FROM low_stock
WHERE EXISTS (SELECT FROM low_stock WHERE since <= statement_timestamp() - make_interval(secs => %(every)s::float8))
ORDER BY since LIMIT %(most)s
""")
_TAKE_LOW = database.Statement("""
WITH taken AS MATERIALIZED (
  SELECT sku FROM low_stock WHERE sku = ANY(%(sku)s::text[]) ORDER BY sku FOR UPDATE)
DELETE FROM low_stock USING taken WHERE low_stock.sku = taken.sku
RETURNING low_stock.sku, low_stock.available, low_stock.threshold
""")
_UNSUBSCRIBE_KEY = database.Statement(select(UNSUBSCRIBE_KEY.c.secret))
_KNOWN = database.Statement(select(CONTACTS.c.user_id).where(CONTACTS.c.user_id == bindparam("user_id", type_=ID)))
_GET = database.Statement(select(*_SHOWN, _N.reason, _N.send_time).where(_N.id == bindparam("id", type_=ID)))
_PAGE = database.Statement(
    select(*_SHOWN, _N.reason, _N.send_time)
    .where(_N.user_id == bindparam("user_id", type_=ID), _N.id < bindparam("before", type_=ID))
    .order_by(_N.id.desc())
    .limit(bindparam("most", type_=Integer))
)


async def keep(transaction: database.Transaction, contacts: Sequence[domain.Contact]) -> None:
    """Remember whom to write to, unless something newer is known already. What waited for them is due at once."""
    await transaction.run(_UPSERT_CONTACTS, database.columns(contacts, *_CONTACT_COLUMNS))
    await transaction.run(_HURRY, {"user_id": [contact.user_id for contact in contacts]})


async def add(transaction: database.Transaction, notifications: Sequence[domain.Notification]) -> None:
    """Write new messages. What was told before about the same occasion stays as it is."""
    rows = database.columns(notifications, *(name for name in _COLUMNS if name != "details"))
    details = [Jsonb(dict(notification.details)) for notification in notifications]
    await transaction.run(_INSERT, rows | {"details": details})


async def preferences_of(transaction: database.Transaction, user_ids: Iterable[str]) -> dict[str, domain.Preferences]:
    """The preferences of those of these people who have any, by user."""
    rows = await transaction.run(_PREFERENCES_OF, {"user_id": sorted(set(user_ids))})
    return {row[0]: _preferences(row) for row in rows}


async def lock_preferences(transaction: database.Transaction, user_id: str) -> domain.Preferences:
    """Somebody's preferences, which nobody else changes until the transaction ends."""
    await transaction.run(_BEGIN_PREFERENCES, {"user_id": user_id})
    [row] = await transaction.run(_LOCK_PREFERENCES, {"user_id": user_id})
    return _preferences(row)


async def save_preferences(transaction: database.Transaction, preferences: domain.Preferences) -> None:
    """Write the preferences that were locked."""
    choices = {kind: sorted(channels) for kind, channels in preferences.choices.items()}
    values = {name: getattr(preferences, name) for name in _PREFERENCES_COLUMNS}
    await transaction.run(_SAVE_PREFERENCES, values | {"choices": Jsonb(choices)})


async def unsubscribe_key(db: database.Database) -> bytes:
    """The key that signs the links by which mail is unsubscribed. Raises TransientError."""
    [(secret,)] = await db.read(_UNSUBSCRIBE_KEY, {})
    return bytes(secret)


async def note_low(transaction: database.Transaction, low: Sequence[domain.LowStock]) -> None:
    """Remember that these fell low. Each is there once."""
    await transaction.run(_NOTE_LOW, database.columns(low, "sku", "available", "threshold"))


async def low_due(db: database.Database, *, every_s: float, most: int) -> list[str]:
    """All SKUs that fell low, up to so many, once one of them waits for every_s seconds; none before."""
    return [row[0] for row in await db.read(_LOW_DUE, {"every": every_s, "most": most})]


async def take_low(transaction: database.Transaction, skus: Sequence[str]) -> list[domain.LowStock]:
    """Take the notes of these SKUs away: those that nobody else took, by SKU."""
    return [domain.LowStock(*row) for row in sorted(await transaction.run(_TAKE_LOW, {"sku": list(skus)}))]


async def claim(
    transaction: database.Transaction, channel: domain.Channel, *, most: int, lease_s: float
) -> list[Claimed]:
    """Lease up to so many messages of a channel that are due and have a contact. The attempt is counted here."""
    rows = await transaction.run(_CLAIM, {"channel": channel, "most": most, "lease": lease_s})
    return [_claimed(row) for row in rows]


async def put_off(db: database.Database, *, give_up_s: float) -> tuple[int, int]:
    """Make messages that are due but have no contact due later, and fail those that waited give_up_s seconds.

    Those of erased accounts fail at once. Answers how many it looked at, at most PUT_OFF_AT_ONCE, and how many of them
    failed for want of a contact.
    """
    values = {"most": PUT_OFF_AT_ONCE, "give_up": give_up_s, "unknown": CONTACT_UNKNOWN, "erased": ACCOUNT_ERASED}
    values |= {"first": CONTACT_WAIT_FIRST_S, "longest": CONTACT_WAIT_MOST_S}
    failures = [failure for (failure,) in await db.read(_PUT_OFF, values)]
    return len(failures), failures.count(CONTACT_UNKNOWN)


async def settle(transaction: database.Transaction, settled: Sequence[Settled]) -> None:
    """Write the outcomes of claimed messages whose lease this process still holds."""
    rows = {
        "id": [item.claimed.notification.id for item in settled],
        "epoch": [item.claimed.epoch for item in settled],
        "state": [item.state for item in settled],
        "reason": [item.reason for item in settled],
        "wait": [item.wait_s for item in settled],
        "counted": [item.counted for item in settled],
    }
    await transaction.run(_SETTLE, rows)


async def is_known(transaction: database.Transaction, user_id: str) -> bool:
    """Whether this user can be written to."""
    return bool(await transaction.run(_KNOWN, {"user_id": user_id}))


async def get(db: database.Database, notification_id: str) -> domain.Notification:
    """A message that was written."""
    [row] = await db.read(_GET, {"id": notification_id})
    return _notification(row[:-2], reason=row[-2], send_time=row[-1])


async def page_of(db: database.Database, user_id: str, page: pages.Page) -> list[domain.Notification]:
    """A user's messages, newest first: up to one more than the page shows."""
    rows = await db.read(_PAGE, {"user_id": user_id, "before": page.after or pages.LAST_ID, "most": page.size + 1})
    return [_notification(row[:-2], reason=row[-2], send_time=row[-1]) for row in rows]


def _claimed(row: database.Row) -> Claimed:
    *contact, attempt, epoch = row[len(_COLUMNS) :]
    return Claimed(_notification(row[: len(_COLUMNS)]), domain.Contact(row[1], *contact), attempt, epoch)


def _preferences(row: database.Row) -> domain.Preferences:
    user_id, choices, phone_number, push_endpoint, language = row
    chosen = {domain.Kind(kind): frozenset(map(domain.Channel, channels)) for kind, channels in choices.items()}
    return domain.Preferences(user_id, chosen, phone_number, push_endpoint, domain.Language(language))


def _notification(row: database.Row, **known: object) -> domain.Notification:
    some_id, user_id, template, occasion_id, subject, details, create_time, state, channel, sensitive = row
    return domain.Notification(
        id=some_id,
        user_id=user_id,
        template=domain.Template(template),
        occasion_id=occasion_id,
        subject=subject,
        details=details,
        create_time=create_time,
        state=domain.State(state),
        channel=domain.Channel(channel),
        sensitive=sensitive,
        **known,  # type: ignore[arg-type]  # reason and send_time, where they were read
    )
