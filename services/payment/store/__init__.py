"""The rows of payments: `payments`, `refunds` (who wanted money back), `settled_refunds` (what was given), `ledger_entries`.

Every write takes a list and is one statement. Rows become domain values here and nowhere else. Next stop: `claims.py`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from services.chassis import database, money, tracing
from services.chassis.schema import ID, TIME
from services.payment import domain
from services.payment.domain import moves

METADATA = MetaData()

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, nullable=False, unique=True),
    Column("user_id", ID, nullable=False),
    Column("state", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("refunding", BigInteger, nullable=False),
    Column("refund_id", Text, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("provider_reference", Text, nullable=False),
    Column("failure_reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("next_try_at", TIME, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("first_try_at", TIME, nullable=True),
    Column("traceparent", Text, nullable=False, server_default=""),
    Column("action_url", Text, nullable=False, server_default=""),
    Column("action_secret", Text, nullable=False, server_default=""),
    Column("shares", JSONB, nullable=False, server_default="{}"),
    Column("refunded_shares", JSONB, nullable=False, server_default="{}"),
    Column("refunding_shares", JSONB, nullable=False, server_default="{}"),
    Index("ix_payments_next_try_at", "next_try_at", postgresql_where="next_try_at IS NOT NULL"),
    Index("ix_payments_provider_reference", "provider_reference", postgresql_where="provider_reference <> ''"),
)
REFUNDS = Table(
    "refunds",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("payment_id", ID, ForeignKey("payments.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
)
LEDGER = Table(
    "ledger_entries",
    METADATA,
    Column("payment_id", ID, ForeignKey("payments.id"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("time", TIME, nullable=False),
    Column("cause", Text, nullable=True),
    Column("shares", JSONB, nullable=False, server_default="{}"),
    Index("ix_ledger_entries_time", "time", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
)

SETTLED_REFUNDS = Table(
    "settled_refunds",
    METADATA,
    Column("payment_id", ID, ForeignKey("payments.id"), primary_key=True),
    Column("call", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("time", TIME, nullable=False),
    Column("fail_time", TIME, nullable=True),
    Column("shares", JSONB, nullable=False, server_default="{}"),
)
WEBHOOK_EVENTS = Table(
    "webhook_events",
    METADATA,
    Column("provider", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("event_time", TIME, nullable=False),
    Column("receive_time", TIME, nullable=False, server_default=func.clock_timestamp(), index=True),
)
DISPUTES = Table(
    "disputes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("payment_id", ID, ForeignKey("payments.id"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("shares", JSONB, nullable=False, server_default="{}"),
)
FINDINGS = Table(
    "findings",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("reference", Text, primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("ours", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("first_time", TIME, nullable=False),
    Column("last_time", TIME, nullable=False),
)

_P = PAYMENTS.c
_COLUMNS = (
    "id",
    "order_id",
    "user_id",
    "state",
    "currency",
    "amount",
    "captured",
    "refunded",
    "refunding",
    "refund_id",
    "payment_method",
    "provider_reference",
    "failure_reason",
    "version",
    "create_time",
    "update_time",
    "action_url",
    "action_secret",
    "shares",
    "refunded_shares",
    "refunding_shares",
)
# Columns that are documents.
_SHARES = ("shares", "refunded_shares", "refunding_shares")
_CHANGING = (
    "id",
    "state",
    "captured",
    "refunded",
    "refunding",
    "refund_id",
    "payment_method",
    "provider_reference",
    "failure_reason",
    "version",
    "update_time",
)
_LEDGER_COLUMNS = ("payment_id", "version", "account", "currency", "amount", "time", "cause", "shares")
SHOWN = [_P[name] for name in _COLUMNS]
_WRITTEN = (*_COLUMNS, "traceparent")
_GIVEN = database.given(PAYMENTS, *_WRITTEN)

_INSERT = database.Statement(
    insert(PAYMENTS)
    .from_select(
        [*_WRITTEN, "next_try_at", "first_try_at"],
        select(
            _GIVEN,
            case((_GIVEN.c.state == domain.State.AUTHORIZING.value, func.clock_timestamp())),
            # The order's clock may be wrong, but nothing was asked for in the future.
            case(
                (
                    _GIVEN.c.state == domain.State.AUTHORIZING.value,
                    func.least(_GIVEN.c.create_time, func.clock_timestamp()),
                )
            ),
        ),
    )
    .on_conflict_do_nothing(index_elements=["order_id"])
    .returning(_P.order_id)
)
# A payment that moved is due at once when its new state asks for a call, starts to count its attempts anew and belongs to no
# worker any more: what was written once is not written again. One that is being asked about keeps its lease, also when its
# order is cancelled meanwhile.
_SAVE = database.Statement("""
UPDATE payments AS p SET state = g.state, captured = g.captured, refunded = g.refunded, refunding = g.refunding,
  refund_id = g.refund_id, payment_method = g.payment_method,
  provider_reference = g.provider_reference, failure_reason = g.failure_reason, version = g.version,
  update_time = g.update_time, action_url = g.action_url, action_secret = g.action_secret,
  refunded_shares = g.refunded_shares, refunding_shares = g.refunding_shares,
  traceparent = coalesce(nullif(g.traceparent, ''), p.traceparent),
  next_try_at = CASE WHEN g.same_call THEN p.next_try_at WHEN g.calls THEN clock_timestamp() END,
  attempts = CASE WHEN g.same_call THEN p.attempts ELSE 0 END,
  epoch = CASE WHEN g.same_call THEN p.epoch ELSE p.epoch + 1 END
FROM unnest(%(id)s::uuid[], %(state)s::text[], %(captured)s::bigint[], %(refunded)s::bigint[],
  %(refunding)s::bigint[], %(refund_id)s::text[], %(payment_method)s::text[],
  %(provider_reference)s::text[], %(failure_reason)s::text[], %(version)s::bigint[], %(update_time)s::timestamptz[],
  %(action_url)s::text[], %(action_secret)s::text[], %(traceparent)s::text[], %(same_call)s::boolean[],
  %(calls)s::boolean[], %(refunded_shares)s::jsonb[], %(refunding_shares)s::jsonb[])
  AS g(id, state, captured, refunded, refunding, refund_id, payment_method,
    provider_reference, failure_reason, version, update_time, action_url, action_secret, traceparent, same_call, calls,
    refunded_shares, refunding_shares)
WHERE p.id = g.id
""")
# Keyed by the call, which is repeated only when a refund of the same order failed after it had succeeded.
_SETTLE_REFUNDS = database.Statement("""
INSERT INTO settled_refunds AS s (payment_id, call, amount, time, shares)
SELECT * FROM unnest(%(payment_id)s::uuid[], %(call)s::text[], %(amount)s::bigint[], %(time)s::timestamptz[],
  %(shares)s::jsonb[])
ON CONFLICT (payment_id, call)
DO UPDATE SET amount = excluded.amount, time = excluded.time, shares = excluded.shares, fail_time = NULL
WHERE s.fail_time IS NOT NULL
""")
_POST = database.Statement(database.insert_given(LEDGER, *_LEDGER_COLUMNS))
# Locked in one order, so that two batches with orders in common wait for each other instead of deadlocking.
_LOCK = database.Lookup(
    select(*SHOWN)
    .where(_P.order_id == bindparam("order_ids", type_=ARRAY(ID)).any_())
    .order_by(_P.order_id)
    .with_for_update(),
    by="order_ids",
)
_INSERT_REFUND = database.Statement(insert(REFUNDS).on_conflict_do_nothing().returning(REFUNDS.c.id))
_ID = bindparam("id", type_=ID)
_FIND = database.Statement(select(*SHOWN).where(or_(_P.id == _ID, _P.order_id == _ID)))


async def add(transaction: database.Transaction, payments: Sequence[domain.Payment]) -> set[str]:
    """Write new payments: the orders that had none before. An order that has one keeps it as it is."""
    return {row[0] for row in await transaction.run(_INSERT, _rows(payments))}


async def lock(transaction: database.Transaction, order_ids: Sequence[str]) -> list[domain.Payment]:
    """The payments of these orders, locked until the transaction ends. Orders without one are absent."""
    if not order_ids:
        return []
    return [payment_of(row) for row in await transaction.run(_LOCK, {"order_ids": list(order_ids)})]


async def save(transaction: database.Transaction, advances: Sequence[moves.Advance]) -> None:
    """Write the outcomes of payments that `lock` or `lock_claimed` locked, and what the ledger has to say of it."""
    moved = [advance for advance in advances if advance.moved]
    if not moved:
        return
    payments = [advance.payment for advance in moved]
    rows = database.columns(payments, *_CHANGING) | _actions(payments) | _shares(payments, *_SHARES[1:])
    rows |= {
        "traceparent": _traces(payments),
        "same_call": [advance.payment.call == advance.before.call for advance in moved],
        "calls": [advance.payment.verb is not None for advance in moved],
    }
    await transaction.run(_SAVE, rows)
    entries = [_entry(advance, posting) for advance in moved for posting in advance.postings]
    if entries:
        await transaction.run(_POST, {name: [entry[name] for entry in entries] for name in _LEDGER_COLUMNS})
    if given := [advance for advance in moved if advance.given]:
        await transaction.run(_SETTLE_REFUNDS, _settled(given))


async def add_refund(transaction: database.Transaction, payment: domain.Payment, *, actor: str, reason: str) -> bool:
    """Write down the refund that a payment just began: who wanted it, and why. False when it was written before."""
    row = {"id": payment.refund_id, "payment_id": payment.id, "amount": payment.refunding}
    row |= {"reason": reason, "actor": actor, "create_time": payment.update_time}
    return bool(await transaction.run(_INSERT_REFUND, row))


async def find(db: database.Database, some_id: str) -> domain.Payment | None:
    """The payment with this id, or of the order with this id."""
    rows = await db.read(_FIND, {"id": some_id})
    return payment_of(rows[0]) if rows else None


def _rows(payments: Sequence[domain.Payment]) -> dict[str, list[Any]]:
    plain = [name for name in _COLUMNS if name not in {"currency", "amount", "action_url", "action_secret", *_SHARES}]
    return (
        database.columns(payments, *plain)
        | _actions(payments)
        | _shares(payments, *_SHARES)
        | {
            "currency": [payment.amount.currency for payment in payments],
            "amount": [payment.amount.amount for payment in payments],
            "traceparent": _traces(payments),
        }
    )


def _actions(payments: Sequence[domain.Payment]) -> dict[str, list[str]]:
    return {
        "action_url": [payment.action.url for payment in payments],
        "action_secret": [payment.action.secret for payment in payments],
    }


def _shares(payments: Sequence[domain.Payment], *names: str) -> dict[str, list[Jsonb]]:
    return {name: [Jsonb(getattr(payment, name)) for payment in payments] for name in names}


def _traces(payments: Iterable[domain.Payment]) -> list[str]:
    """The traces that these payments are written in: their effects outside are called later, and by others."""
    origin = tracing.origin()
    return [origin.traceparent(payment.order_id) for payment in payments]


def _settled(given: Sequence[moves.Advance]) -> dict[str, list[Any]]:
    return {
        "payment_id": [advance.payment.id for advance in given],
        "call": [advance.before.call for advance in given],
        "amount": [advance.given for advance in given],
        "time": [advance.payment.update_time for advance in given],
        "shares": [Jsonb(advance.given_shares) for advance in given],
    }


def _entry(advance: moves.Advance, posting: domain.Posting) -> dict[str, Any]:
    payment = advance.payment
    return {
        "payment_id": payment.id,
        "version": payment.version,
        "account": posting.account,
        "currency": payment.amount.currency,
        "amount": posting.amount,
        "time": payment.update_time,
        "cause": advance.cause,
        "shares": Jsonb(posting.shares),
    }


def payment_of(row: database.Row) -> domain.Payment:
    """The payment in a row that begins with what `SHOWN` selects."""
    payment_id, order_id, user_id, state, currency, amount, captured, refunded, refunding, refund_id = row[:10]
    payment_method, provider_reference, failure_reason, version, create_time, update_time = row[10:16]
    action_url, action_secret, shares, refunded_shares, refunding_shares = row[16:21]
    return domain.Payment(
        id=payment_id,
        order_id=order_id,
        user_id=user_id,
        state=domain.State(state),
        amount=money.Money(currency, amount),
        payment_method=payment_method,
        create_time=create_time,
        update_time=update_time,
        captured=captured,
        refunded=refunded,
        refunding=refunding,
        refund_id=refund_id,
        provider_reference=provider_reference,
        failure_reason=failure_reason,
        version=version,
        action=domain.Action(action_url, action_secret),
        shares=shares,
        refunded_shares=refunded_shares,
        refunding_shares=refunding_shares,
    )
