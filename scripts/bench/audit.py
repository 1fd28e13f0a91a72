"""Do the books agree? Every order, coin and unit of the whole run, each asked of two who must know."""

import json
import urllib.request
from collections.abc import Iterator, Mapping

from scripts.bench.books import Books

SHOWN = 3
_TOTALS = "SELECT o.id::text, s.status, o.currency, o.total FROM orders o JOIN sagas s ON s.order_id = o.id"
_CAPTURED = "SELECT order_id::text, captured, refunded FROM payments"
_UNBALANCED = "SELECT currency, sum(amount) FROM ledger_entries GROUP BY currency HAVING sum(amount) <> 0"
_BOUGHT = """
SELECT line ->> 'sku', sum((line ->> 'quantity')::bigint)::bigint
FROM orders o JOIN sagas s ON s.order_id = o.id, jsonb_array_elements(o.lines) AS line
WHERE s.status = 'CONFIRMED' GROUP BY 1
"""
_SOLD = "SELECT sku, -sum(delta)::bigint FROM movements WHERE reason IN ('sold', 'returned') GROUP BY 1 HAVING sum(delta) <> 0"
_WRONG_STOCK = """
SELECT s.sku, s.warehouse, s.on_hand, s.reserved, coalesce(m.total, 0)::bigint FROM stock s
LEFT JOIN (SELECT sku, warehouse, sum(delta) AS total FROM movements GROUP BY 1, 2) m USING (sku, warehouse)
WHERE s.on_hand <> coalesce(m.total, 0) OR s.reserved <> 0
"""


def problems(books: Books, provider_url: str) -> list[str]:
    """What does not agree, a line each; none when all is well. Every order must be settled before."""
    return [*_money(books), *_provider(books, provider_url), *_stock(books)]


def _money(books: Books) -> Iterator[str]:
    captured = {order: taken - returned for order, taken, returned in books.ask("payment", _CAPTURED)}
    orders = books.ask("order", _TOTALS)
    wrong = [
        f"{order} is {status} for {total} {currency} and {captured.get(order, 0)} was taken"
        for order, status, currency, total in orders
        if captured.get(order, 0) != (total if status == "CONFIRMED" else 0)
    ]
    yield from _some("orders whose money is wrong", wrong)
    strangers = captured.keys() - {row[0] for row in orders}
    yield from _some("payments without an order", sorted(strangers))
    for currency, rest in books.ask("payment", _UNBALANCED):
        yield f"the ledger does not balance: {rest} {currency} are left"


def _provider(books: Books, url: str) -> Iterator[str]:
    """What the provider took, by its own log, is what the confirmed orders cost: none was charged twice."""
    with urllib.request.urlopen(f"{url}/stats", timeout=10) as answer:  # noqa: S310 - the stack's own simulator
        moved = json.load(answer)["by_currency"]
    taken = {currency: sums["captured"] - sums["refunded"] for currency, sums in moved.items()}
    cost: dict[str, int] = {}
    for _, status, currency, total in books.ask("order", _TOTALS):
        cost[currency] = cost.get(currency, 0) + (total if status == "CONFIRMED" else 0)
    if _without_zeros(taken) != _without_zeros(cost):
        yield f"the provider took {taken} and the confirmed orders cost {cost}"


def _stock(books: Books) -> Iterator[str]:
    bought, sold = dict(books.ask("order", _BOUGHT)), dict(books.ask("inventory", _SOLD))
    differing = {sku for sku in bought.keys() | sold.keys() if bought.get(sku, 0) != sold.get(sku, 0)}
    yield from _some(
        "SKUs of which other numbers were sold than bought",
        [f"{sku}: bought {bought.get(sku, 0)}, sold {sold.get(sku, 0)}" for sku in sorted(differing)],
    )
    wrong = [
        f"{sku} in {warehouse}: {on_hand} on hand, {reserved} still reserved, movements add up to {total}"
        for sku, warehouse, on_hand, reserved, total in books.ask("inventory", _WRONG_STOCK)
    ]
    yield from _some("stock rows that are wrong", wrong)


def _some(what: str, found: list[str]) -> Iterator[str]:
    if found:
        more = ", ..." if len(found) > SHOWN else ""
        yield f"{len(found)} {what}: {'; '.join(found[:SHOWN])}{more}"


def _without_zeros(sums: Mapping[str, int]) -> dict[str, int]:
    return {currency: amount for currency, amount in sums.items() if amount}
