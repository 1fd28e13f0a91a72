"""Where returns stand, in the books of those who have to do with them: order, payment and inventory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scripts.operate.audit.cases import Return

Row = tuple[Any, ...]
# Asks a service's database.
Ask = Callable[..., list[Row]]

# What must hold at every moment, as `books.INVARIANTS`.
HISTORY = """
SELECT 'return ' || id || ': version ' || version || ', history of ' || entries || ' up to ' || latest FROM (
  SELECT r.id, r.version, e.entries, e.latest FROM returns AS r JOIN
    (SELECT return_id AS id, count(*) AS entries, max(sequence) AS latest FROM return_events GROUP BY 1) AS e
    USING (id)) AS t WHERE version <> entries OR version <> latest
"""
PAID_ONCE = """
SELECT 'refund of return ' || r.id || ': ' || r.given || ' were given back, ' || coalesce(f.amount, 0) || ' asked for'
FROM return_refunds AS r LEFT JOIN refunds AS f ON f.id = r.id WHERE r.given <> coalesce(f.amount, 0)
"""
_RETURNS = """
SELECT order_id::text, id::text, status, lines, amount, refunded FROM returns WHERE order_id = ANY(%s::uuid[]) ORDER BY id
"""
_GIVEN = "SELECT id::text, given FROM return_refunds WHERE order_id = ANY(%s::uuid[]) AND given IS NOT NULL"
_SHELVED = "SELECT reference, sku, sum(delta)::bigint FROM movements WHERE reference = ANY(%s) GROUP BY 1, 2"


def of_orders(ask: Ask, order_ids: Sequence[str]) -> dict[str, list[Return]]:
    """The returns of these orders, by order. Orders without any are absent."""
    rows = ask("order", _RETURNS, list(order_ids))
    if not rows:
        return {}
    given: dict[str, int] = dict(ask("payment", _GIVEN, list(order_ids)))
    shelved: dict[str, Counter[str]] = {}
    for return_id, sku, units in ask("inventory", _SHELVED, [row[1] for row in rows]):
        shelved.setdefault(return_id, Counter())[sku] += units
    found: dict[str, list[Return]] = {}
    for order_id, return_id, status, lines, due, refunded in rows:
        back = Return(
            return_id,
            status,
            _claims(status, lines, inspected=due is not None),
            Counter({line["sku"]: line["resell"] for line in lines if line["resell"]}),
            due,
            refunded,
            given.get(return_id),
            shelved.get(return_id, Counter()),
        )
        found.setdefault(order_id, []).append(back)
    return found


def _claims(status: str, lines: Sequence[Mapping[str, Any]], *, inspected: bool) -> Counter[str]:
    """Units that nobody can return again."""
    if status == "REJECTED":
        return Counter()
    if inspected:
        return Counter({line["sku"]: line["resell"] + line["scrap"] for line in lines})
    return Counter({line["sku"]: line["quantity"] for line in lines})
