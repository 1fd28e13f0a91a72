"""The auditor of the tests: what `make audit` asks of a shop, asked of the orders that a test placed, and more closely.

It waits until nothing about these orders is on its way, asks the provider's log about each, and raises with every disagreement.
The rules are those of scripts/operate/audit: there are no others.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from scripts.operate.audit import __main__ as audit
from scripts.operate.audit import cases

REST_S = 10.0
AGAIN_S = 0.5
_PUBLISHES = "SELECT to_regclass('outbox') IS NOT NULL"
_AT_WORK = "SELECT count(*) FROM outbox WHERE key = ANY(%s)"


class Auditor:
    """Reads the books of one stack: its databases and its provider, by the names of the stack's environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._books = audit.books_of(environment)

    async def audit(self, order_ids: Sequence[str]) -> None:
        """Raise AssertionError with every disagreement about these settled orders, and about the books as a whole."""
        await self._at_rest(order_ids)
        until = time.monotonic() + REST_S
        # Nobody waits for promotion to commit what an order uses: it may be on its way.
        while (found := await asyncio.to_thread(self._found, order_ids)) and time.monotonic() < until:
            await asyncio.sleep(AGAIN_S)
        assert not found, "\n".join(found)

    async def provider_log(self, order_id: str) -> list[dict[str, Any]]:
        """What the provider wrote about an order, oldest first."""
        return await asyncio.to_thread(self._books.provider_log, order_id)

    async def orders_of(self, user_id: str) -> list[str]:
        """The ids of all orders that a user has, oldest first."""
        rows = await self._ask("order", "SELECT id::text FROM orders WHERE user_id = %s::uuid ORDER BY id", user_id)
        return [row[0] for row in rows]

    def _found(self, order_ids: Sequence[str]) -> list[str]:
        cases_found = self._books.cases(order_ids)
        looked_at = [self._books.with_carrier(self._books.with_provider(case)) for case in cases_found]
        found = [complaint for case in looked_at for complaint in cases.disagreements(case)]
        found += [
            f"order {missing} is in no book" for missing in set(order_ids) - {case.order.id for case in looked_at}
        ]
        return [*found, *self._books.broken_invariants(), *self._books.parked(order_ids)]

    async def _at_rest(self, order_ids: Sequence[str]) -> None:
        until = time.monotonic() + REST_S
        publishing = [service for service in self._books.urls if (await self._ask(service, _PUBLISHES))[0][0]]
        while True:
            counts = {service: await self._ask(service, _AT_WORK, list(order_ids)) for service in publishing}
            waiting = {service: rows[0][0] for service, rows in counts.items() if rows[0][0]}
            if not waiting:
                return
            assert time.monotonic() < until, f"events were not published after {REST_S} s: {waiting}"
            await asyncio.sleep(0.05)

    async def _ask(self, service: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._books.urls[service], autocommit=True) as connection:
            cursor = await connection.execute(statement.encode(), parameters or None)
            return await cursor.fetchall()
