"""The auditor: whether money, stock and orders agree, by everybody's own books.

It reads the provider's log, the payments and their ledger, the reservations and the movements of stock, and the orders, and
compares them. Every disagreement is one line; `disagreements` is pure, `audit` waits until all is at rest, reads and raises.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import psycopg

from scripts.audit import books
from services import registry

Row = tuple[Any, ...]

REST_S = 10.0
# Whose outbox and parked events may hold something about an order.
SERVICES = tuple(name.upper() for name in registry.load().with_store([], "postgres"))
# Where a payment is when nothing is held or kept.
GIVEN_BACK = {"VOIDED", "REFUNDED", "DECLINED"}

_ORDERS = """
SELECT o.id::text, s.status, s.step, o.total, o.lines, s.version, s.payment_id
FROM orders AS o JOIN sagas AS s ON s.order_id = o.id WHERE o.id = ANY(%s::uuid[])
"""
_HISTORY = "SELECT order_id::text, sequence, status FROM order_events WHERE order_id = ANY(%s::uuid[]) ORDER BY 1, 2"
_PAYMENTS = """
SELECT p.order_id::text, p.id::text, p.state, p.amount, p.captured, p.refunded,
  (SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entries AS l
   WHERE l.payment_id = p.id AND l.account = 'provider_receivable')
FROM payments AS p WHERE p.order_id = ANY(%s::uuid[]) AND p.payment_method <> ''
"""
_HOLDS = "SELECT order_id::text, sku, status, quantity FROM reservations WHERE order_id = ANY(%s::uuid[])"
_MOVES = "SELECT reference, sku, sum(delta)::bigint FROM movements WHERE reference = ANY(%s) GROUP BY 1, 2"
_AT_WORK = "SELECT count(*) FROM outbox WHERE key = ANY(%s)"
_PARKED = "SELECT type || ' of ' || key || ': ' || error FROM parked_events WHERE key = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Money:
    """The money of an order. Amounts in minor units: what the payment says, its ledger, and each effect at the provider."""

    payment_id: str = ""
    state: str = ""
    amount: int = 0
    captured: int = 0
    refunded: int = 0
    receivable: int = 0
    charges: int = 0
    at_provider: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Goods:
    """The stock of an order by SKU: what is held, what was committed, and what its movements add up to."""

    held: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Case:
    """One order in everybody's books. history is its events as (sequence, status)."""

    order_id: str
    status: str
    step: str
    total: int
    wanted: Counter[str]
    version: int
    payment_id: str
    history: tuple[tuple[int, str], ...]
    money: Money
    goods: Goods


def disagreements(case: Case) -> Iterator[str]:
    """What does not fit together about a settled order, a line each."""
    for complaint in (*_of_order(case), *_of_money(case), *_of_goods(case)):
        yield f"order {case.order_id} ({case.status}): {complaint}"


def _of_order(case: Case) -> Iterator[str]:
    if case.status not in ("CONFIRMED", "CANCELLED") or case.step != "DONE":
        yield f"is not at an end: {case.step}"
    if [sequence for sequence, _ in case.history] != list(range(1, case.version + 1)):
        yield f"its history has gaps: {case.history}, version {case.version}"
    elif case.history[-1][1] != case.status:
        yield f"its history ends with {case.history[-1]}"
    if case.payment_id and case.payment_id != case.money.payment_id:
        yield f"names payment {case.payment_id}, but its payment is {case.money.payment_id or 'not there'}"


def _of_money(case: Case) -> Iterator[str]:
    money, provider = case.money, case.money.at_provider
    kept = case.total if case.status == "CONFIRMED" else 0
    if money.charges > 1:
        yield f"was charged {money.charges} times"
    if (money.captured, money.refunded) != (provider["captured"], provider["refunded"]):
        yield f"payment says {money.captured} - {money.refunded}, provider {dict(provider)}"
    if money.receivable != money.captured - money.refunded:
        yield f"ledger says {money.receivable}, payment {money.captured} - {money.refunded}"
    if provider["captured"] - provider["refunded"] != kept:
        yield f"provider handed over {dict(provider)}, due is {kept}"
    if provider["authorized"] - provider["captured"] - provider["voided"] != 0:
        yield f"provider still holds money: {dict(provider)}"
    if case.status == "CONFIRMED" and (money.state, money.amount) != ("CAPTURED", case.total):
        yield f"its payment is {money.state} of {money.amount}, its total {case.total}"
    if case.status == "CANCELLED" and money.payment_id and money.state not in GIVEN_BACK:
        yield f"its payment is {money.state}"


def _of_goods(case: Case) -> Iterator[str]:
    goods = case.goods
    taken = case.wanted if case.status == "CONFIRMED" else Counter[str]()
    if goods.held:
        yield f"stock is still held: {dict(goods.held)}"
    if goods.committed != taken:
        yield f"stock committed is {dict(goods.committed)}, due is {dict(taken)}"
    left = {sku: -delta for sku, delta in goods.moved.items() if delta}
    if left != dict(taken):
        yield f"stock that left the shelf is {left}, due is {dict(taken)}"


class Auditor:
    """Reads the books of one stack: its databases and its provider, by the names of the stack's environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def audit(self, order_ids: Sequence[str]) -> None:
        """Raise AssertionError with every disagreement about these settled orders, and about the books as a whole."""
        await self._at_rest(order_ids)
        cases = await self.cases(order_ids)
        found = [complaint for case in cases for complaint in disagreements(case)]
        found += [f"order {missing} is in no book" for missing in set(order_ids) - {case.order_id for case in cases}]
        found += await self.broken_invariants()
        for service in SERVICES:
            found += [f"parked at {service}: {row[0]}" for row in await self._ask(service, _PARKED, list(order_ids))]
        assert not found, "\n".join(found)

    async def cases(self, order_ids: Sequence[str]) -> list[Case]:
        """These orders, as everybody's books have them."""
        wanted = list(order_ids)
        rows = await self._ask("ORDER", _ORDERS, wanted)
        histories: dict[str, list[tuple[int, str]]] = {}
        for order_id, sequence, status in await self._ask("ORDER", _HISTORY, wanted):
            histories.setdefault(order_id, []).append((sequence, status))
        money, goods = await self._money(wanted), await self._goods(wanted)
        return [
            Case(
                order_id=order_id,
                status=status,
                step=step,
                total=total,
                wanted=Counter({line["sku"]: line["quantity"] for line in lines}),
                version=version,
                payment_id=payment_id,
                history=tuple(histories.get(order_id, ())),
                money=money[order_id],
                goods=goods[order_id],
            )
            for order_id, status, step, total, lines, version, payment_id in rows
        ]

    async def broken_invariants(self) -> list[str]:
        """What does not add up in the books as a whole."""
        return [
            row[0]
            for service, statements in books.INVARIANTS.items()
            for statement in statements
            for row in await self._ask(service.upper(), statement)
        ]

    async def provider_log(self, order_id: str) -> list[dict[str, Any]]:
        """What the provider wrote about an order, oldest first."""
        url = self._environment["PAYMENT_PROVIDER_URL"]
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as provider:
            answer = await provider.get("/v1/log", params={"reference": order_id})
        lines: list[dict[str, Any]] = answer.json()["lines"]
        return lines

    async def orders_of(self, user_id: str) -> list[str]:
        """The ids of all orders that a user has, oldest first."""
        rows = await self._ask("ORDER", "SELECT id::text FROM orders WHERE user_id = %s::uuid ORDER BY id", user_id)
        return [row[0] for row in rows]

    async def _at_rest(self, order_ids: Sequence[str]) -> None:
        until = time.monotonic() + REST_S
        while True:
            counts = {service: await self._ask(service, _AT_WORK, list(order_ids)) for service in SERVICES}
            waiting = {service: rows[0][0] for service, rows in counts.items() if rows[0][0]}
            if not waiting:
                return
            assert time.monotonic() < until, f"events were not published after {REST_S} s: {waiting}"
            await asyncio.sleep(0.05)

    async def _money(self, order_ids: list[str]) -> dict[str, Money]:
        payments = {row[0]: row[1:] for row in await self._ask("PAYMENT", _PAYMENTS, order_ids)}
        found = {}
        for order_id in order_ids:
            log = await self.provider_log(order_id)
            moved: Counter[str] = Counter()
            for line in log:
                moved[line["effect"]] += line["amount"]
            charges = sum(line["effect"] == "authorized" for line in log)
            payment = payments.get(order_id)
            found[order_id] = replace(_paid(payment) if payment else Money(), charges=charges, at_provider=moved)
        return found

    async def _goods(self, order_ids: list[str]) -> dict[str, Goods]:
        found = {order_id: Goods() for order_id in order_ids}
        for order_id, sku, status, quantity in await self._ask("INVENTORY", _HOLDS, order_ids):
            match status:
                case "HELD":
                    found[order_id].held[sku] += quantity
                case "COMMITTED":
                    found[order_id].committed[sku] += quantity
        for order_id, sku, delta in await self._ask("INVENTORY", _MOVES, order_ids):
            found[order_id].moved[sku] += delta
        return found

    async def _ask(self, service: str, statement: str, *parameters: Any) -> list[Row]:
        url = self._environment[f"{service}_DATABASE_URL"]
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            cursor = await connection.execute(statement.encode(), parameters or None)
            return await cursor.fetchall()


def _paid(row: Row) -> Money:
    payment_id, state, amount, captured, refunded, receivable = row
    return Money(payment_id, state, amount, captured, refunded, receivable)
