"""The rows of the refunds of returns: `return_refunds`, one for each return that money is due for."""

from collections.abc import Mapping, Sequence

from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis import database, money
from services.chassis.schema import ID, TIME
from services.payment.domain import returns
from services.payment.store import METADATA

RETURN_REFUNDS = Table(
    "return_refunds",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, nullable=False, index=True),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("given", BigInteger, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", TIME, nullable=True),
    Column("create_time", TIME, nullable=False),
    Column("shares", JSONB, nullable=False, server_default="{}"),
    Index("ix_return_refunds_next_try_at", "next_try_at", postgresql_where="next_try_at IS NOT NULL"),
)
_ADD = database.Statement("""
INSERT INTO return_refunds (id, order_id, currency, amount, shares, state, attempts, next_try_at, create_time)
SELECT id, order_id, currency, amount, shares, 'WAITING', 0, clock_timestamp(), clock_timestamp()
FROM unnest(%(id)s::uuid[], %(order_id)s::uuid[], %(currency)s::text[], %(amount)s::bigint[], %(shares)s::jsonb[])
  AS g(id, order_id, currency, amount, shares)
ON CONFLICT DO NOTHING
""")
# Only what waits is locked: what was begun is its payment's, and written by whoever has locked that.
_DUE = database.Statement("""
SELECT id, order_id, currency, amount, shares FROM return_refunds
WHERE state = 'WAITING' AND next_try_at <= statement_timestamp()
ORDER BY next_try_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
""")
_BEGIN = database.Statement("""
UPDATE return_refunds SET state = 'BEGUN', next_try_at = NULL WHERE id = ANY(%(ids)s::uuid[])
""")
_POSTPONE = database.Statement("""
UPDATE return_refunds SET attempts = attempts + 1,
  next_try_at = clock_timestamp() + make_interval(secs => least(power(2, least(attempts, 10)) / 4, %(most)s))
WHERE id = ANY(%(ids)s::uuid[])
""")
_SETTLE = database.Statement("""
UPDATE return_refunds AS r SET state = 'SETTLED', given = g.given, next_try_at = NULL
FROM unnest(%(id)s::uuid[], %(given)s::bigint[]) AS g(id, given) WHERE r.id = g.id AND r.state <> 'SETTLED'
RETURNING r.id
""")
_REFUSE = database.Statement("""
UPDATE return_refunds SET state = 'WAITING', attempts = attempts + 1,
  next_try_at = clock_timestamp() + make_interval(secs => least(power(2, least(attempts, 10)) / 4, %(most)s))
WHERE id = ANY(%(ids)s::uuid[]) AND state = 'BEGUN'
RETURNING id
""")


async def add(transaction: database.Transaction, wanted: Sequence[returns.Wanted]) -> None:
    """Write down what is to be given back. A return that is known keeps what it has."""
    rows = {
        "id": [item.return_id for item in wanted],
        "order_id": [item.order_id for item in wanted],
        "currency": [item.amount.currency for item in wanted],
        "amount": [item.amount.amount for item in wanted],
        "shares": [Jsonb(item.shares) for item in wanted],
    }
    await transaction.run(_ADD, rows)


async def lock_due(transaction: database.Transaction, most: int) -> list[returns.Wanted]:
    """Up to so many refunds that wait and are due, those that no other process holds, locked."""
    rows = await transaction.run(_DUE, {"most": most})
    return [returns.Wanted(row[0], row[1], money.Money(row[2], row[3]), row[4]) for row in rows]


async def begun(transaction: database.Transaction, return_ids: Sequence[str]) -> None:
    """The provider is being asked for these."""
    if return_ids:
        await transaction.run(_BEGIN, {"ids": list(return_ids)})


async def postpone(transaction: database.Transaction, return_ids: Sequence[str], *, most_s: float) -> None:
    """These have to wait: for twice as long as the last time, and no longer than most_s seconds."""
    if return_ids:
        await transaction.run(_POSTPONE, {"ids": list(return_ids), "most": most_s})


async def settle(transaction: database.Transaction, given: Mapping[str, int]) -> set[str]:
    """So much was given back for these, in minor units: those that are refunds of returns, and were not settled before."""
    if not given:
        return set()
    rows = await transaction.run(_SETTLE, {"id": list(given), "given": list(given.values())})
    return {row[0] for row in rows}


async def refuse(transaction: database.Transaction, refund_ids: Sequence[str], *, most_s: float) -> set[str]:
    """The provider refused these; they wait again: those that are refunds of returns."""
    if not refund_ids:
        return set()
    return {row[0] for row in await transaction.run(_REFUSE, {"ids": list(refund_ids), "most": most_s})}
