"""The rows of `notifications`: written, claimed, put off and settled, and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb
from sqlalchemy import Integer, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis import database, pages
from services.chassis.schema import ID
from services.notification import domain
from services.notification.store.tables import NOTIFICATIONS

# Seconds until a message whose contact is not known is due again, at first and at most; in between as long as it has waited.
# Events of different topics overtake each other, so the contact mostly arrives within the first of them.
CONTACT_WAIT_FIRST_S = 1.0
CONTACT_WAIT_MOST_S = 300.0
# How many of them are put off in one statement.
PUT_OFF_AT_ONCE = 5000
CONTACT_UNKNOWN = "CONTACT_UNKNOWN"
ACCOUNT_ERASED = "ACCOUNT_ERASED"
# Why a message waits that nobody is late with.
QUIET_HOURS = "QUIET_HOURS"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process may send until its lease expires, and its recipient. attempt counts from 1.

    time is when it was claimed, by the database's clock.
    """

    notification: domain.Notification
    contact: domain.Contact
    attempt: int
    epoch: int
    time: datetime
    quiet_hours: domain.QuietHours


@dataclass(frozen=True, slots=True)
class Settled:
    """What a claimed message became. wait_s: until it is tried again (None: it is not). counted: an attempt was made."""

    claimed: Claimed
    state: domain.State
    reason: str
    wait_s: float | None
    counted: bool


_N = NOTIFICATIONS.c
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
_INSERT = database.Statement(
    database.insert_given(NOTIFICATIONS, *_COLUMNS).on_conflict_do_nothing(
        index_elements=["occasion_id", "template", "channel"]
    )
)
# What this release can write: a message from a template of a later one, beside which it runs during an upgrade, is left to it.
_KNOWN = list(domain.Template)
# Messages whose contact is not known are not claimed, and so take no place of those behind them.
_CLAIM = database.Statement("""
WITH due AS MATERIALIZED (
  SELECT n.id, n.user_id, c.email, c.display_name, c.version, c.email_verified, c.bounced_email
  FROM notifications AS n JOIN contacts AS c USING (user_id)
  WHERE n.channel = %(channel)s AND n.next_try_at <= statement_timestamp() AND n.template = ANY(%(templates)s::text[])
  ORDER BY n.next_try_at LIMIT %(most)s FOR UPDATE OF n SKIP LOCKED),
addressed AS (
  SELECT due.*, p.phone_number, p.push_endpoint, p.quiet_start, p.quiet_end, p.quiet_zone
  FROM due LEFT JOIN preferences AS p USING (user_id))
UPDATE notifications AS n SET epoch = n.epoch + 1, attempts = n.attempts + 1,
  next_try_at = clock_timestamp() + make_interval(secs => %(lease)s::float8)
FROM addressed AS a WHERE n.id = a.id
RETURNING n.id, n.user_id, n.template, n.occasion_id, n.subject, n.details, n.create_time, n.state, n.channel,
  n.sensitive, a.email, a.display_name, a.version, coalesce(a.phone_number, ''), coalesce(a.push_endpoint, ''),
  a.email_verified, a.bounced_email, n.attempts, n.epoch, clock_timestamp(),
  coalesce(a.quiet_start, '00:00'), coalesce(a.quiet_end, '00:00'), coalesce(a.quiet_zone, '')
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
_GET = database.Statement(select(*_SHOWN, _N.reason, _N.send_time).where(_N.id == bindparam("id", type_=ID)))
_PAGE = database.Statement(
    select(*_SHOWN, _N.reason, _N.send_time)
    .where(
        _N.user_id == bindparam("user_id", type_=ID),
        _N.id < bindparam("before", type_=ID),
        _N.template == func.any(bindparam("templates", type_=ARRAY(Text))),
    )
    .order_by(_N.id.desc())
    .limit(bindparam("most", type_=Integer))
)


async def add(transaction: database.Transaction, notifications: Sequence[domain.Notification]) -> None:
    """Write new messages. What was told before about the same occasion stays as it is."""
    rows = database.columns(notifications, *(name for name in _COLUMNS if name != "details"))
    details = [Jsonb(dict(notification.details)) for notification in notifications]
    await transaction.run(_INSERT, rows | {"details": details})


async def claim(
    transaction: database.Transaction, channel: domain.Channel, *, most: int, lease_s: float
) -> list[Claimed]:
    """Lease up to so many messages of a channel that are due and have a contact, and whose template this release knows.

    The attempt is counted here.
    """
    rows = await transaction.run(_CLAIM, {"channel": channel, "most": most, "lease": lease_s, "templates": _KNOWN})
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


async def get(db: database.Database, notification_id: str) -> domain.Notification:
    """A message that was written."""
    [row] = await db.read(_GET, {"id": notification_id})
    return _notification(row[:-2], reason=row[-2], send_time=row[-1])


async def page_of(db: database.Database, user_id: str, page: pages.Page) -> list[domain.Notification]:
    """A user's messages, newest first: up to one more than the page shows."""
    values = {"user_id": user_id, "before": page.after or pages.LAST_ID, "most": page.size + 1, "templates": _KNOWN}
    rows = await db.read(_PAGE, values)
    return [_notification(row[:-2], reason=row[-2], send_time=row[-1]) for row in rows]


def _claimed(row: database.Row) -> Claimed:
    *contact, attempt, epoch, time, start, end, zone = row[len(_COLUMNS) :]
    quiet = domain.QuietHours(start, end, zone)
    return Claimed(_notification(row[: len(_COLUMNS)]), domain.Contact(row[1], *contact), attempt, epoch, time, quiet)


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
