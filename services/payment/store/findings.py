"""The rows of reconciliation: what is compared of `payments` and the ledger, and `findings`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis import database
from services.payment import domain
from services.payment.domain import reconciling
from services.payment.store import SHOWN, payment_of

_SHOWN = ", ".join(f"p.{column.name}" for column in SHOWN)
# Disputes move money between accounts of ours, so what is kept of a payment is the sum of all but the revenue.
_BOOKS = database.Statement(f"""
SELECT {_SHOWN}, coalesce((SELECT sum(amount) FROM ledger_entries AS e
  WHERE e.payment_id = p.id AND e.account <> 'order_revenue'), 0)::bigint
FROM payments AS p
WHERE p.provider_reference = ANY(%(references)s::text[]) AND p.provider_reference <> ''
  OR p.order_id = ANY(%(orders)s::uuid[])
""")  # noqa: S608 - names of columns
_CHARGED = database.Statement(f"""
SELECT {_SHOWN} FROM payments AS p
WHERE p.provider_reference > %(after)s AND p.provider_reference <> '' AND p.create_time > %(since)s
ORDER BY p.provider_reference LIMIT %(most)s
""")  # noqa: S608 - names of columns
_SAVE = database.Statement("""
INSERT INTO findings AS f (kind, reference, order_id, ours, theirs, first_time, last_time)
SELECT g.*, %(now)s, %(now)s FROM unnest(%(kind)s::text[], %(reference)s::text[], %(order_id)s::text[], %(ours)s::text[],
  %(theirs)s::text[]) AS g(kind, reference, order_id, ours, theirs)
ON CONFLICT (kind, reference, order_id) DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs,
  last_time = greatest(f.last_time, excluded.last_time)
""")
_CLOSE = database.Statement("DELETE FROM findings WHERE last_time < %(before)s")
_LISTED = database.Statement("""
SELECT kind, reference, order_id, ours, theirs, first_time, last_time FROM findings
WHERE last_time - first_time >= %(lasting)s ORDER BY first_time, kind, reference LIMIT %(most)s
""")


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding, when it was seen first, and when last."""

    finding: reconciling.Finding
    first_time: datetime
    last_time: datetime


async def books(db: database.Database, charges: Sequence[reconciling.Charge]) -> list[reconciling.Book]:
    """The payments that these charges belong to, with what the ledger keeps of them."""
    orders = [charge.order_id for charge in charges if charge.order_id]
    rows = await db.read(_BOOKS, {"references": [charge.reference for charge in charges], "orders": orders})
    return [reconciling.Book(payment_of(row), row[-1]) for row in rows]


async def charged(db: database.Database, after: str, *, since: datetime, most: int) -> list[domain.Payment]:
    """Payments of later than this that have a charge at the provider, by its id, behind one of them."""
    rows = await db.read(_CHARGED, {"after": after, "since": since, "most": most})
    return [payment_of(row) for row in rows]


async def save(transaction: database.Transaction, found: Sequence[reconciling.Finding], now: datetime) -> None:
    """Write what was found now: one that is known is seen once more."""
    unique = list({(item.kind, item.reference, item.order_id): item for item in found}.values())
    if unique:
        rows = database.columns(unique, "kind", "reference", "order_id", "ours", "theirs")
        await transaction.run(_SAVE, rows | {"now": now})


async def close(transaction: database.Transaction, before: datetime) -> None:
    """Forget what was not found again since."""
    await transaction.run(_CLOSE, {"before": before})


async def listed(db: database.Database, *, lasting: timedelta, most: int) -> list[Seen]:
    """Findings that were seen over so long a time: what was on its way when it was seen first is none."""
    rows = await db.read(_LISTED, {"lasting": lasting, "most": most})
    return [Seen(reconciling.Finding(reconciling.Kind(row[0]), *row[1:5]), row[5], row[6]) for row in rows]
