"""Redemptions: which orders use which promotions, and which were refused."""

from collections.abc import Iterable, Sequence

from services.chassis import database, money
from services.promotion.domain import redemptions
from services.promotion.domain.redemptions import Status

_COLUMNS = ("order_id", "promotion_id", "code", "user_id", "currency", "discount", "status", "refusal")
_NAMES = ", ".join(_COLUMNS)
_LOCK = database.Lookup(
    f"SELECT {_NAMES} FROM redemptions WHERE order_id = ANY(%(ids)s::uuid[]) ORDER BY order_id, promotion_id FOR UPDATE",  # noqa: S608 - all parts are constants of this room
    by="ids",
)
_INSERT = database.Statement(f"""
INSERT INTO redemptions ({_NAMES})
SELECT {_NAMES} FROM unnest(%(order_id)s::uuid[], %(promotion_id)s::uuid[], %(code)s::text[], %(user_id)s::uuid[],
  %(currency)s::text[], %(discount)s::bigint[], %(status)s::text[], %(refusal)s::text[]) AS g({_NAMES})
""")  # noqa: S608 - as above
_COMMIT = database.Lookup(
    "UPDATE redemptions SET status = 'COMMITTED' WHERE order_id = ANY(%(ids)s::uuid[]) AND status = 'CLAIMED'", by="ids"
)
# One winner per redemption: whoever changes its status owns the change of the counts that goes with it.
_RELEASE = database.Lookup(
    f"""
UPDATE redemptions SET status = 'RELEASED'
WHERE order_id = ANY(%(ids)s::uuid[]) AND status IN ('CLAIMED', 'COMMITTED')
RETURNING {_NAMES}
""",  # noqa: S608 - as above
    by="ids",
)
_COUNT = database.Statement("""
SELECT r.promotion_id, r.user_id, count(*)
FROM redemptions AS r
JOIN unnest(%(promotion_id)s::uuid[], %(user_id)s::uuid[]) AS g(promotion_id, user_id) USING (promotion_id, user_id)
WHERE r.status IN ('CLAIMED', 'COMMITTED')
GROUP BY r.promotion_id, r.user_id
""")
_OF_CUSTOMERS = database.Lookup(
    """
SELECT promotion_id, user_id, count(*) FROM redemptions
WHERE promotion_id = ANY(%(ids)s::uuid[]) AND user_id IN (SELECT unnest(%(user_ids)s::uuid[]))
  AND status IN ('CLAIMED', 'COMMITTED')
GROUP BY promotion_id, user_id
""",
    by="ids",
)


def _use(row: database.Row) -> redemptions.Use:
    order_id, promotion_id, code, user_id, currency, discount, status, refusal = row
    amount = money.Money(currency, discount)
    return redemptions.Use(order_id, promotion_id, code, user_id, amount, Status(status), refusal)


async def lock_uses(transaction: database.Transaction, order_ids: Sequence[str]) -> dict[str, list[redemptions.Use]]:
    """What these orders use or were refused, by order, locked until the transaction ends. Unknown orders are absent."""
    known: dict[str, list[redemptions.Use]] = {}
    for row in await transaction.run(_LOCK, {"ids": list(order_ids)}):
        use = _use(row)
        known.setdefault(use.order_id, []).append(use)
    return known


async def insert_uses(transaction: database.Transaction, uses: Sequence[redemptions.Use]) -> None:
    """Write what became of orders' wishes."""
    rows = database.columns(uses, *(name for name in _COLUMNS if name not in ("currency", "discount")))
    amounts = database.columns([use.discount for use in uses], "currency", "amount")
    await transaction.run(_INSERT, rows | {"currency": amounts["currency"], "discount": amounts["amount"]})


async def commit_uses(transaction: database.Transaction, order_ids: Sequence[str]) -> None:
    """Commit what these orders claimed."""
    await transaction.run(_COMMIT, {"ids": list(order_ids)})


async def release_uses(transaction: database.Transaction, order_ids: Sequence[str]) -> list[redemptions.Use]:
    """Release what these orders use: what was released now, and only that."""
    rows = await transaction.run(_RELEASE, {"ids": list(order_ids)})
    return [_use(row) for row in rows]


async def count_uses(transaction: database.Transaction, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many orders of customers use promotions, by (promotion, customer). The promotions are locked."""
    if not pairs:
        return {}
    ids = {"promotion_id": [pair[0] for pair in pairs], "user_id": [pair[1] for pair in pairs]}
    return {(row[0], row[1]): row[2] for row in await transaction.run(_COUNT, ids)}


async def uses_of_customers(
    db: database.Database, promotion_ids: Iterable[str], user_ids: Iterable[str]
) -> dict[tuple[str, str], int]:
    """How many orders of these customers use these promotions, by promotion and customer; those without any are absent."""
    rows = await db.read(_OF_CUSTOMERS, {"ids": list(promotion_ids), "user_ids": list(user_ids)})
    return {(row[0], row[1]): row[2] for row in rows}
