"""Where it stands: the databases of whoever keeps books, and the totals and the log of a provider that tells them."""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from scripts.operate.audit import returned
from scripts.operate.audit.cases import Case, Coupons, Goods, Money, Order, Papers, Parcel, Provider

Row = tuple[Any, ...]
# Orders that are asked about in one go.
AT_ONCE = 5000

# What must hold at every moment, of everybody. Each is one statement, so that it sees one moment.
INVARIANTS: Mapping[str, Sequence[str]] = {
    "inventory": (
        """
        SELECT 'stock of ' || sku || ' in ' || warehouse || ': reserved ' || reserved || ', held ' || held FROM (
          SELECT sku, warehouse, coalesce(s.reserved, 0) AS reserved, coalesce(r.held, 0) AS held FROM stock AS s
          FULL JOIN (SELECT sku, warehouse, sum(quantity) AS held FROM reservations WHERE status = 'HELD' GROUP BY 1, 2) AS r
            USING (sku, warehouse)) AS t WHERE reserved <> held
        """,
        """
        SELECT 'stock of ' || sku || ' in ' || warehouse || ': on hand ' || on_hand || ', moved ' || moved FROM (
          SELECT sku, warehouse, coalesce(s.on_hand, 0) AS on_hand, coalesce(m.moved, 0) AS moved FROM stock AS s
          FULL JOIN (SELECT sku, warehouse, sum(delta) AS moved FROM movements GROUP BY 1, 2) AS m
            USING (sku, warehouse)) AS t WHERE on_hand <> moved
        """,
        """
        SELECT lower(kind) || ' ' || id || ' of ' || sku || ': moved ' || moved || ', due ' || due FROM (
          SELECT s.id, s.kind, l.sku, coalesce(m.moved, 0) AS moved, CASE
            WHEN s.kind = 'RESTOCK' THEN l.received
            WHEN s.state = 'RETURNED_TO_SOURCE' THEN 0 ELSE l.received - l.quantity END AS due
          FROM supplies AS s JOIN supply_lines AS l ON l.supply_id = s.id
          LEFT JOIN (SELECT reference, sku, sum(delta) AS moved FROM movements
            WHERE reason IN ('transferred', 'received') GROUP BY 1, 2) AS m ON m.reference = s.id::text AND m.sku = l.sku
          ) AS t WHERE moved <> due
        """,
        """
        SELECT 'count ' || count_id || ' of ' || sku || ': moved ' || moved || ', due ' || due FROM (
          SELECT l.count_id, l.sku, coalesce(m.moved, 0) AS moved,
            CASE WHEN l.applied THEN l.counted - l.expected ELSE 0 END AS due
          FROM count_lines AS l LEFT JOIN (SELECT reference, sku, sum(delta) AS moved FROM movements
            WHERE reason = 'counted' GROUP BY 1, 2) AS m ON m.reference = l.count_id::text AND m.sku = l.sku
          ) AS t WHERE moved <> due
        """,
    ),
    "payment": (
        """
        SELECT 'ledger of payment ' || payment_id || ' does not balance at version ' || version FROM ledger_entries
        GROUP BY payment_id, version, currency HAVING sum(amount) <> 0
        """,
        """
        SELECT 'payment ' || id || ': captured ' || captured || ', refunded ' || refunded || ', ledger ' || kept FROM (
          SELECT p.id, p.captured, p.refunded, coalesce(l.kept, 0) AS kept FROM payments AS p
          LEFT JOIN (SELECT payment_id, sum(amount) AS kept FROM ledger_entries
            WHERE account <> 'order_revenue' GROUP BY 1) AS l ON l.payment_id = p.id) AS t
        WHERE captured - refunded <> kept
        """,
        """
        SELECT 'payment ' || id || ': shares of ' || shared || ', amount ' || amount FROM (
          SELECT id, amount, (SELECT sum(value::bigint) FROM jsonb_each_text(shares)) AS shared FROM payments) AS t
        WHERE shared <> amount
        """,
        """
        SELECT 'entry of payment ' || payment_id || ' at version ' || version || ': shares of ' || shared || ', not ' || amount
        FROM (SELECT payment_id, version, amount, (SELECT sum(value::bigint) FROM jsonb_each_text(shares)) AS shared
          FROM ledger_entries) AS t WHERE shared <> amount
        """,
        # What code of before wrote beside it names nobody: such payments are the shop's.
        """
        SELECT 'payment ' || id || ': of vendor ' || vendor || ' the ledger has ' || booked || ', due are ' || due FROM (
          SELECT id, coalesce(nullif(vendor, ''), 'none') AS vendor, sum(booked) AS booked, sum(due) AS due FROM (
            SELECT e.payment_id AS id, s.key AS vendor, -s.value::bigint AS booked, 0 AS due
            FROM ledger_entries AS e, jsonb_each_text(e.shares) AS s WHERE e.account = 'order_revenue'
            UNION ALL SELECT p.id, s.key, 0, s.value::bigint FROM payments AS p, jsonb_each_text(p.shares) AS s
            WHERE p.captured > 0
            UNION ALL SELECT p.id, s.key, 0, -s.value::bigint FROM payments AS p, jsonb_each_text(p.refunded_shares) AS s
            WHERE p.captured > 0) AS parts GROUP BY 1, 2) AS t
        WHERE booked <> due AND NOT EXISTS (SELECT 1 FROM ledger_entries AS e
          WHERE e.payment_id = t.id AND e.account = 'order_revenue' AND e.shares = '{}')
        """,
        returned.PAID_ONCE,
    ),
    "order": (
        """
        SELECT 'order ' || order_id || ': version ' || version || ', history of ' || entries || ' up to ' || latest FROM (
          SELECT s.order_id, s.version, e.entries, e.latest FROM sagas AS s JOIN
            (SELECT order_id, count(*) AS entries, max(sequence) AS latest FROM order_events GROUP BY 1) AS e
            USING (order_id)) AS t WHERE version <> entries OR version <> latest
        """,
        """
        SELECT lower(kind) || 's of ' || series || ': ' || many || ' up to ' || highest || ', counted ' || last FROM (
          SELECT kind, series, coalesce(s.last, 0) AS last, coalesce(d.many, 0) AS many, coalesce(d.highest, 0) AS highest
          FROM document_series AS s FULL JOIN (SELECT kind, series, count(*) AS many, max(number) AS highest
            FROM documents GROUP BY 1, 2) AS d USING (kind, series)) AS t WHERE last <> many OR last <> highest
        """,
        returned.HISTORY,
    ),
    "shipping": (
        """
        SELECT 'parcel ' || id || ': version ' || version || ', history of ' || entries || ' up to ' || latest FROM (
          SELECT p.id, p.version, e.entries, e.latest FROM parcels AS p JOIN
            (SELECT parcel_id AS id, count(*) AS entries, max(sequence) AS latest FROM parcel_events GROUP BY 1) AS e
            USING (id)) AS t WHERE version <> entries OR version <> latest
        """,
    ),
    "promotion": (
        """
        SELECT 'promotion ' || id || ': ' || uses || ' uses, ' || used || ' redemptions' FROM (
          SELECT p.id, p.uses, count(r.order_id) AS used FROM promotions AS p
          LEFT JOIN redemptions AS r ON r.promotion_id = p.id AND r.status IN ('CLAIMED', 'COMMITTED') GROUP BY p.id) AS t
        WHERE uses <> used
        """,
        """
        SELECT 'code ' || code || ': ' || uses || ' uses, ' || used || ' redemptions' FROM (
          SELECT c.code, c.uses, coalesce(r.used, 0) AS used FROM codes AS c
          LEFT JOIN (SELECT code, count(*) AS used FROM redemptions
            WHERE code <> '' AND status IN ('CLAIMED', 'COMMITTED') GROUP BY 1) AS r USING (code)) AS t WHERE uses <> used
        """,
    ),
}
_STUCK = "SELECT 'order ' || order_id || ' waits for a person: its saga is stuck' FROM sagas WHERE stuck"
_PARKS = "SELECT to_regclass('parked_events') IS NOT NULL"
_PARKED = "SELECT type || ' of ' || key || ' is parked: ' || error FROM parked_events WHERE %s::text[] IS NULL OR key = ANY(%s)"
_ORDERS = """
SELECT o.id::text, s.status, s.step, o.currency, o.total, o.lines, o.taxes_included, s.version, coalesce(s.payment_id, ''),
  coalesce(o.discounts, '[]')
FROM orders AS o JOIN sagas AS s ON s.order_id = o.id
"""
# An order whose parcels are on their way is at rest with everybody else, unless it is being cancelled.
_RESTS = "(s.step = 'DONE' OR s.step = 'DELIVERY' AND s.awaiting NOT LIKE '%%stop%%')"
_AT_REST = f"""{_ORDERS}
WHERE o.id > %s::uuid AND {_RESTS} AND s.update_time < clock_timestamp() - make_interval(secs => %s)
ORDER BY o.id LIMIT %s
"""
_THESE = f"{_ORDERS} WHERE o.id = ANY(%s::uuid[]) ORDER BY o.id"
_HISTORY = """
SELECT order_id::text, array_agg(sequence ORDER BY sequence), array_agg(status ORDER BY sequence) FROM order_events
WHERE order_id = ANY(%s::uuid[]) GROUP BY 1
"""
_MONEY = """
SELECT p.order_id::text, p.id::text, p.state, p.currency, p.captured, p.refunded, coalesce(l.kept, 0)::bigint,
  coalesce(r.asked, 0)::bigint, coalesce(f.failed, 0)::bigint
FROM payments AS p
LEFT JOIN LATERAL (SELECT sum(amount) AS kept FROM ledger_entries
  WHERE payment_id = p.id AND account <> 'order_revenue') AS l ON true
LEFT JOIN LATERAL (SELECT sum(amount) AS asked FROM refunds WHERE payment_id = p.id) AS r ON true
LEFT JOIN LATERAL (SELECT sum(amount) AS failed FROM settled_refunds
  WHERE payment_id = p.id AND fail_time IS NOT NULL) AS f ON true
WHERE p.order_id = ANY(%s::uuid[])
"""
_HOLDS = """
SELECT order_id::text, sku, status, sum(quantity)::bigint FROM reservations
WHERE order_id = ANY(%s::uuid[]) AND status IN ('HELD', 'COMMITTED') GROUP BY 1, 2, 3
"""
_MOVES = """
SELECT reference, sku, -sum(delta)::bigint FROM movements WHERE reference = ANY(%s) GROUP BY 1, 2 HAVING sum(delta) <> 0
"""
_COUPONS = """
SELECT order_id::text, promotion_id::text, status, discount FROM redemptions
WHERE order_id = ANY(%s::uuid[]) AND status IN ('CLAIMED', 'COMMITTED')
"""
_PARCELS = """
SELECT order_id::text, id::text, state, lines, reference <> '' FROM parcels
WHERE order_id = ANY(%s::uuid[]) AND return_id = ''
"""
_PAPERS = """
SELECT order_id::text, coalesce(sum(amount) FILTER (WHERE kind = 'INVOICE'), 0)::bigint,
  coalesce(sum(amount) FILTER (WHERE kind = 'CREDIT_NOTE'), 0)::bigint
FROM documents WHERE order_id = ANY(%s::uuid[]) GROUP BY 1
"""
_PAID = (
    "SELECT order_id::text FROM payments WHERE order_id > %s::uuid AND captured > refunded ORDER BY order_id LIMIT %s"
)
_KNOWN = "SELECT id::text FROM orders WHERE id = ANY(%s::uuid[])"
_TAKEN = """
SELECT currency, sum(captured - refunded)::bigint FROM payments GROUP BY 1 HAVING sum(captured - refunded) <> 0
"""
# Nothing is held of a payment that waits for its customer: that may take minutes, and does not stand in the way.
_UNDER_WAY = "SELECT count(*) FROM payments WHERE next_try_at IS NOT NULL AND state <> 'ACTION_REQUIRED'"
_FIRST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Books:
    """The databases by service, and where the simulated provider tells its totals, and the simulated carrier its log.

    They are empty where others are used.

    Those of whoever keeps books must be there: the rules are about them. Of the others, what waits is asked.
    """

    urls: Mapping[str, str]
    provider_url: str = ""
    carrier_url: str = ""

    def broken_invariants(self) -> list[str]:
        """What does not add up within one database."""
        return [row[0] for service, asked in INVARIANTS.items() for query in asked for row in self._ask(service, query)]

    def waiting(self) -> list[str]:
        """What waits for a person: sagas that ran out of attempts, and events that nobody could handle."""
        return [*(row[0] for row in self._ask("order", _STUCK)), *self.parked()]

    def parked(self, keys: Sequence[str] | None = None) -> list[str]:
        """Events that nobody could handle: all, or those with these keys."""
        asked = None if keys is None else list(keys)
        parks = [service for service in self.urls if self._ask(service, _PARKS)[0][0]]
        return [f"{service}: {row[0]}" for service in parks for row in self._ask(service, _PARKED, asked, asked)]

    def at_rest(self, since_s: float) -> Iterator[list[Case]]:
        """All orders that came to rest at least so long ago, some thousand at a time."""
        after = _FIRST_ID
        while rows := self._ask("order", _AT_REST, after, since_s, AT_ONCE):
            yield self._cases(rows)
            after = rows[-1][0]

    def cases(self, order_ids: Sequence[str]) -> list[Case]:
        """Those of these orders that are there, at rest or not."""
        return self._cases(self._ask("order", _THESE, list(order_ids)))

    def paid_by_nobody(self) -> Iterator[str]:
        """Orders that payment keeps money for and that are not there."""
        after = _FIRST_ID
        while paid := [row[0] for row in self._ask("payment", _PAID, after, AT_ONCE)]:
            yield from sorted(set(paid) - {row[0] for row in self._ask("order", _KNOWN, paid)})
            after = paid[-1]

    def taken(self) -> dict[str, int]:
        """What payment took and did not give back, by currency."""
        return dict(self._ask("payment", _TAKEN))

    def under_way(self) -> int:
        """How many payments the provider is being asked about."""
        return int(self._ask("payment", _UNDER_WAY)[0][0])

    def taken_by_provider(self) -> dict[str, int] | None:
        """The same as the provider tells it; None when it does not."""
        try:
            with urllib.request.urlopen(f"{self.provider_url}/stats", timeout=10) as answer:  # noqa: S310 - the operator's URL
                moved = json.load(answer)["by_currency"]
        except (urllib.error.URLError, ValueError, KeyError, TimeoutError):
            return None
        sums = {currency: of["captured"] - of["refunded"] for currency, of in moved.items()}
        return {currency: amount for currency, amount in sums.items() if amount}

    def provider_log(self, order_id: str) -> list[dict[str, Any]]:
        """What the provider's simulator wrote about an order, oldest first. Raises URLError when it does not answer."""
        url = f"{self.provider_url}/v1/log?reference={order_id}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the operator's URL
            lines: list[dict[str, Any]] = json.load(answer)["lines"]
            return lines

    def with_provider(self, case: Case) -> Case:
        """The same order with what the provider's log says: one call, so for some orders, and not for all."""
        log, moved = self.provider_log(case.order.id), Counter[str]()
        for line in log:
            moved[line["effect"]] += line["amount"]
        told = Provider(moved, sum(line["effect"] == "authorized" for line in log))
        return replace(case, money=replace(case.money, provider=told))

    def with_carrier(self, case: Case) -> Case:
        """The same order with what the carrier's log says of its parcels, where it tells one."""
        if not self.carrier_url:
            return case
        return replace(case, parcels=tuple(replace(one, bought=self._sold(one.id)) for one in case.parcels))

    def _sold(self, parcel_id: str) -> int:
        url = f"{self.carrier_url}/v1/log?reference={parcel_id}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the operator's URL
            return sum(line["effect"] == "bought" for line in json.load(answer)["lines"])

    def _cases(self, rows: Sequence[Row]) -> list[Case]:
        ids = [row[0] for row in rows]
        money = {row[0]: Money(*row[1:]) for row in self._ask("payment", _MONEY, ids)}
        history = {row[0]: tuple(zip(*row[1:], strict=True)) for row in self._ask("order", _HISTORY, ids)}
        papers = {row[0]: Papers(*row[1:]) for row in self._ask("order", _PAPERS, ids)}
        goods, coupons, parcels = self._goods(ids), self._coupons(ids), self._parcels(ids)
        returns = returned.of_orders(self._ask, ids)
        return [
            Case(
                _order(row, history.get(row[0], ())),
                money.get(row[0], Money()),
                goods[row[0]],
                coupons.get(row[0], Coupons()),
                tuple(parcels.get(row[0], ())),
                tuple(returns.get(row[0], ())),
                papers.get(row[0], Papers()),
            )
            for row in rows
        ]

    def _coupons(self, order_ids: list[str]) -> dict[str, Coupons]:
        found: dict[str, Coupons] = {}
        for order_id, promotion_id, status, discount in self._ask("promotion", _COUPONS, order_ids):
            coupons = found.setdefault(order_id, Coupons())
            (coupons.claimed if status == "CLAIMED" else coupons.committed)[promotion_id] = discount
        return found

    def _parcels(self, order_ids: list[str]) -> dict[str, list[Parcel]]:
        found: dict[str, list[Parcel]] = {}
        for order_id, parcel_id, state, lines, labelled in self._ask("shipping", _PARCELS, order_ids):
            inside = Counter({line["sku"]: line["quantity"] for line in lines})
            found.setdefault(order_id, []).append(Parcel(parcel_id, state, inside, labelled))
        return found

    def _goods(self, order_ids: list[str]) -> dict[str, Goods]:
        found = {order_id: Goods() for order_id in order_ids}
        for order_id, sku, status, quantity in self._ask("inventory", _HOLDS, order_ids):
            goods = found[order_id]
            (goods.held if status == "HELD" else goods.committed)[sku] += quantity
        for order_id, sku, taken in self._ask("inventory", _MOVES, order_ids):
            found[order_id].taken[sku] += taken
        return found

    def _ask(self, service: str, query: str, *parameters: object) -> list[Row]:
        with psycopg.connect(self.urls[service]) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()


def _order(row: Row, history: tuple[tuple[int, str], ...]) -> Order:
    order_id, status, step, currency, total, lines, taxes_included, version, payment_id, discounts = row
    wanted = Counter({line["sku"]: line["quantity"] for line in lines})
    payable = sum(_payable(line, taxes_included=taxes_included) for line in lines)
    return Order(
        id=order_id,
        status=status,
        step=step,
        currency=currency,
        total=total,
        payable=payable,
        wanted=wanted,
        version=version,
        payment_id=payment_id,
        history=history,
        discounted=sum(line.get("charges", {}).get("discount", 0) for line in lines),
        discounts=sum(_taken_off(discount) for discount in discounts),
        promised={discount["promotion_id"]: _taken_off(discount) for discount in discounts if discount["claims"]},
    )


def _taken_off(discount: Mapping[str, Any]) -> int:
    return int(sum(discount["lines"].values()) + discount["shipping"])


def _payable(line: Mapping[str, Any], *, taxes_included: bool) -> int:
    """What a line comes to in minor units. Its charges are absent when there are none."""
    charges = {"discount": 0, "shipping": 0, "tax": 0} | line.get("charges", {})
    added = charges["shipping"] + (0 if taxes_included else charges["tax"])
    return int(line["quantity"] * line["price"] - charges["discount"] + added)
