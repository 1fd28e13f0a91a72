"""What the databases say: how far the orders are, when they were confirmed, and when the mesh has come to rest."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

POLL_S = 0.5
# Mail is sent after the order is settled: when none has come for so long, all have.
MAIL_REST_S = 2.0
MAIL_PATIENCE_S = 120.0

# What a carrier has is not waited for.
_ON_THEIR_WAY = "SELECT count(*) FROM sagas WHERE deadline IS NOT NULL AND step <> 'DELIVERY'"
_UNPUBLISHED = "SELECT count(*) FROM outbox"
_STATUSES = """
SELECT CASE WHEN s.status = 'CANCELLED' OR s.step NOT IN ('SETTLEMENT', 'DELIVERY', 'DONE') THEN s.status ELSE 'CONFIRMED' END,
  s.step IN ('DELIVERY', 'DONE'), count(*) FROM sagas s JOIN orders o ON o.id = s.order_id
WHERE o.create_time >= to_timestamp(%(since)s) GROUP BY 1, 2
"""
_MISSING = """
SELECT a.id::text FROM unnest(%(ids)s::uuid[]) AS a(id) LEFT JOIN sagas s ON s.order_id = a.id
WHERE s.status IS NULL OR s.status NOT IN ('CONFIRMED', 'FULFILLING', 'SHIPPED', 'DELIVERED', 'CANCELLED')
"""
_CONFIRMED = """
SELECT extract(epoch FROM min(e.time))::float8,
  extract(epoch FROM min(e.time) FILTER (WHERE e.status = 'CONFIRMED'))::float8
FROM order_events e JOIN orders o ON o.id = e.order_id
WHERE o.create_time >= to_timestamp(%(since)s)
GROUP BY e.order_id HAVING bool_or(e.status = 'CONFIRMED')
"""


@dataclass(frozen=True, slots=True)
class Statuses:
    """How the orders of a scenario ended: confirmed, cancelled, or not at all. `settled` counts those with nothing to do."""

    confirmed: int
    cancelled: int
    pending: int
    settled: int


@dataclass(frozen=True, slots=True)
class Books:
    """The databases of the stack, by service, and the folder where its mail server keeps mail."""

    urls: Mapping[str, str]
    mail: Path

    @classmethod
    def of(cls, exported: Mapping[str, str]) -> "Books":
        """The books that a stack's exported settings name."""
        suffix = "_DATABASE_URL"
        urls = {name.removesuffix(suffix).lower(): url for name, url in exported.items() if name.endswith(suffix)}
        return cls(urls, Path(exported["MAIL_STORE"]))

    def ask(self, service: str, question: str, **given: Any) -> list[tuple[Any, ...]]:
        """The rows that answer a question to one service's database."""
        with psycopg.connect(self.urls[service]) as connection:
            return connection.execute(question.encode(), given).fetchall()

    def number(self, service: str, question: str, **given: Any) -> int:
        """The only number of the answer."""
        return int(self.ask(service, question, **given)[0][0])

    def statuses(self, since: float) -> Statuses:
        """How the orders ended that were accepted at this time (seconds since the epoch) or later."""
        rows = self.ask("order", _STATUSES, since=since)
        by_status = {name: sum(count for status, _, count in rows if status == name) for name, _, _ in rows}
        total, ended = sum(by_status.values()), by_status.get("CONFIRMED", 0) + by_status.get("CANCELLED", 0)
        settled = sum(count for _, done, count in rows if done)
        return Statuses(by_status.get("CONFIRMED", 0), by_status.get("CANCELLED", 0), total - ended, settled)

    def not_ended(self, order_ids: Sequence[str]) -> list[str]:
        """Those of these orders that are neither confirmed nor cancelled, or not there at all."""
        return [row[0] for row in self.ask("order", _MISSING, ids=list(order_ids))]

    def confirmations(self, since: float) -> list[tuple[float, float]]:
        """When each order was accepted and confirmed, in seconds since the epoch."""
        return [(accepted, confirmed) for accepted, confirmed in self.ask("order", _CONFIRMED, since=since)]

    def settle(self, patience_s: float) -> bool:
        """Wait until no order is on its way and every event is published; False when that takes too long."""
        return _wait(lambda: self._on_their_way() == 0, patience_s)

    def rest(self) -> None:
        """Wait until no mail comes any more, so that what mail costs is in the account of the orders it is about."""
        seen, since = self._mail_size(), time.monotonic()

        def rested() -> bool:
            nonlocal seen, since
            if (now := self._mail_size()) != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since >= MAIL_REST_S

        _wait(rested, MAIL_PATIENCE_S)

    def _on_their_way(self) -> int:
        return self.number("order", _ON_THEIR_WAY) + sum(self.number(service, _UNPUBLISHED) for service in self.urls)

    def _mail_size(self) -> int:
        return sum(file.stat().st_size for file in self.mail.glob("*.jsonl"))


def _wait(condition: Callable[[], bool], patience_s: float) -> bool:
    until = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True
