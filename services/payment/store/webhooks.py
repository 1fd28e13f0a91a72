"""The rows of what the provider told of by itself: `webhook_events`, `disputes`, and refunds that failed after they succeeded."""

from datetime import timedelta

from psycopg.types.json import Jsonb

from services.chassis import database, postponed
from services.payment import domain
from services.payment.domain import notices, shares
from services.payment.store import SHOWN, payment_of

_SHOWN = ", ".join(f"payments.{column.name}" for column in SHOWN)
_RECORD = database.Statement("""
INSERT INTO webhook_events (provider, event_id, type, reference, event_time)
VALUES (%(provider)s, %(id)s, %(type)s, %(reference)s, %(time)s) ON CONFLICT DO NOTHING RETURNING event_id
""")
_FORGET = database.Statement("""
DELETE FROM webhook_events WHERE (provider, event_id) IN (
  SELECT provider, event_id FROM webhook_events WHERE receive_time < clock_timestamp() - %(kept)s
  ORDER BY receive_time LIMIT %(most)s)
RETURNING 1
""")
# One payment is locked, so no order of locks is to be kept.
_LOCK = database.Statement(f"""
SELECT {_SHOWN} FROM payments WHERE provider_reference = %(reference)s AND %(reference)s <> ''
FOR UPDATE
""")  # noqa: S608 - names of columns
_LOCK_OF_ORDER = database.Statement(
    f"SELECT {_SHOWN} FROM payments WHERE order_id = %(order_id)s FOR UPDATE"  # noqa: S608 - names of columns
)
# What is due soon anyway is left alone: a worker may be asking about it this moment, for no longer than its lease.
_HASTEN = postponed.hastening("payments")
_FAIL_REFUND = database.Statement("""
UPDATE settled_refunds SET fail_time = %(time)s
WHERE payment_id = %(payment_id)s AND call = %(call)s AND fail_time IS NULL RETURNING amount, shares
""")
_DISPUTE = database.Statement("SELECT state FROM disputes WHERE id = %(id)s FOR UPDATE")
_SAVE_DISPUTE = database.Statement("""
INSERT INTO disputes (id, payment_id, state, amount, reason, create_time, update_time, shares)
VALUES (%(id)s, %(payment_id)s, %(state)s, %(amount)s, %(reason)s, %(time)s, %(time)s, %(shares)s)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, update_time = excluded.update_time
RETURNING amount, shares
""")


async def record(transaction: database.Transaction, notice: notices.Notice) -> bool:
    """Write down an event, once: False when it was written before."""
    names = ("provider", "id", "type", "reference", "time")
    return bool(await transaction.run(_RECORD, {name: getattr(notice, name) for name in names}))


async def forget(db: database.Database, *, kept: timedelta, most: int) -> int:
    """Delete up to so many events that came longer ago: how many."""
    return len(await db.read(_FORGET, {"kept": kept, "most": most}))


async def lock(transaction: database.Transaction, notice: notices.Notice) -> domain.Payment | None:
    """The payment that an event is about, locked until the transaction ends."""
    rows = await transaction.run(_LOCK, {"reference": notice.reference})
    if not rows and notice.order_id:
        rows = await transaction.run(_LOCK_OF_ORDER, {"order_id": notice.order_id})
    return payment_of(rows[0]) if rows else None


async def hasten(transaction: database.Transaction, payment_id: str, *, lease_s: float) -> bool:
    """Make a payment due now, about which the provider would be asked later. False when it is due soon, or not at all."""
    return await postponed.hasten(transaction, _HASTEN, payment_id, soon_s=lease_s)


async def fail_refund(
    transaction: database.Transaction, payment: domain.Payment, call: str, time: object
) -> shares.Part | None:
    """Note that a refund failed which had succeeded: how much it was; None when it had not, or was noted before."""
    rows = await transaction.run(_FAIL_REFUND, {"payment_id": payment.id, "call": call, "time": time})
    return shares.Part(*rows[0]) if rows else None


async def dispute(transaction: database.Transaction, dispute_id: str) -> notices.DisputeState | None:
    """Where a dispute is, locked; None when it is new."""
    rows = await transaction.run(_DISPUTE, {"id": dispute_id})
    return notices.DisputeState(rows[0][0]) if rows else None


async def save_dispute(
    transaction: database.Transaction, payment: domain.Payment, told: notices.Dispute, time: object
) -> shares.Part:
    """Write where a dispute is: its amount and who bears it, which stay what they were at first."""
    row = {"id": told.id, "payment_id": payment.id, "state": told.state, "amount": told.amount}
    row |= {"reason": told.reason, "time": time, "shares": Jsonb(told.shares)}
    [found] = await transaction.run(_SAVE_DISPUTE, row)
    return shares.Part(*found)
