"""The rows of `mail_feedback`, and what news of a mail changes: its message, and whether its address is written to."""

from datetime import timedelta

from services.chassis import database
from services.notification import domain

_RECORD = database.Statement("INSERT INTO mail_feedback (id) VALUES (%(id)s) ON CONFLICT DO NOTHING RETURNING id")
_FORGET = database.Statement("""
DELETE FROM mail_feedback WHERE id IN (
  SELECT id FROM mail_feedback WHERE receive_time < clock_timestamp() - %(kept)s ORDER BY receive_time LIMIT %(most)s)
RETURNING 1
""")
_READER = database.Statement("SELECT user_id FROM notifications WHERE id = %(id)s AND channel = 'EMAIL'")
_SUPPRESS = database.Statement("""
UPDATE contacts SET bounced_email = email
WHERE user_id = %(user_id)s AND lower(email) = ANY(%(addresses)s::text[]) RETURNING user_id
""")
# It may not be settled yet: then the settlement, which comes with the epoch of before, changes nothing.
_FAIL = database.Statement("""
UPDATE notifications SET state = 'FAILED', reason = %(reason)s, send_time = NULL, next_try_at = NULL, epoch = epoch + 1,
  details = CASE WHEN sensitive THEN '{}' ELSE details END
WHERE id = %(id)s
""")


async def record(transaction: database.Transaction, feedback: domain.Feedback) -> bool:
    """Write down that this was told, once: False when it was told before."""
    return bool(await transaction.run(_RECORD, {"id": feedback.id}))


async def forget(db: database.Database, *, kept: timedelta, most: int) -> int:
    """Delete the notes of up to so many that were told longer ago: how many."""
    return len(await db.read(_FORGET, {"kept": kept, "most": most}))


async def reader_of(transaction: database.Transaction, notification_id: str) -> str:
    """Whose mail this message was; empty when there is no such mail."""
    rows = await transaction.run(_READER, {"id": notification_id}) if notification_id else []
    return str(rows[0][0]) if rows else ""


async def suppress(transaction: database.Transaction, user_id: str, feedback: domain.Feedback) -> bool:
    """Send no more mail to a user's address, as long as it is the one that the mail went to: False when it is another."""
    return bool(await transaction.run(_SUPPRESS, {"user_id": user_id, "addresses": list(feedback.addresses)}))


async def fail(transaction: database.Transaction, feedback: domain.Feedback) -> None:
    """The message was not delivered after all."""
    await transaction.run(_FAIL, {"id": feedback.notification_id, "reason": feedback.reason})
