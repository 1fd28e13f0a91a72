"""The bench's questions on the services' real, migrated databases."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from scripts.bench.books import Books, Statuses
from services.chassis import clock, ids
from tests.support import postgres, servers

SERVICES = ("order", "payment", "inventory")
TOTAL = 700


class Mesh:
    """Orders as the services would have written them."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def write(self, service: str, statement: str, *values: object) -> None:
        with psycopg.connect(self.books.urls[service]) as connection:
            connection.execute(statement.encode(), values)

    def order(self, status: str, *, step: str = "DONE", captured: int = 0) -> str:
        order = ids.new_id(clock.utc_now())
        self.write(
            "order",
            """INSERT INTO orders VALUES (%s, %s, 'USD', %s, '[{"sku": "MUG", "quantity": 2}]', '{}', 'card_approved', now())""",
            order, ids.new_id(clock.utc_now()), TOTAL,
        )  # fmt: skip
        self.write(
            "order",
            """INSERT INTO sagas VALUES (%s, %s, 1, %s, %s, '', 1, now(),
               CASE WHEN %s = 'DONE' THEN NULL ELSE now() END, 0, false, '', '', NULL)""",
            order, order, status, step, step,
        )  # fmt: skip
        if captured:
            self.payment(order, captured)
        return order

    def payment(self, order: str, captured: int) -> None:
        self.write(
            "payment",
            """INSERT INTO payments VALUES (%s, %s, %s, 'CAPTURED', 'USD', %s, %s, 0, 'card_approved', '', '', 1,
               now(), now())""",
            ids.new_id(clock.utc_now()), order, order, captured, captured,
        )  # fmt: skip


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        admin = servers.postgres_admin_url()
        yield {name: stack.enter_context(postgres.fresh_database(admin, name)) for name in SERVICES}


@pytest.fixture
def mesh(urls: dict[str, str], tmp_path: Path) -> Mesh:
    # Histories are append-only, even for tests: what an earlier one wrote is dropped with the triggers off.
    tables = {
        "order": "orders, sagas, order_events",
        "payment": "payments, refunds, ledger_entries",
        "inventory": "stock, movements",
    }
    for service, names in tables.items():
        with psycopg.connect(urls[service]) as connection:
            connection.execute(b"SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {names}, outbox CASCADE".encode())
    return Mesh(Books(urls, tmp_path))


def test_orders_are_counted_by_how_they_ended_since_a_moment(mesh: Mesh) -> None:
    mesh.order("CONFIRMED")
    since = time.time()
    mesh.order("CONFIRMED", step="SETTLEMENT")
    mesh.order("CANCELLED")
    mesh.order("PENDING", step="STOCK")
    assert mesh.books.statuses(since) == Statuses(confirmed=1, cancelled=1, pending=1, settled=1)


def test_an_accepted_order_that_is_pending_or_not_there_has_not_ended(mesh: Mesh) -> None:
    ended, pending, unknown = mesh.order("CONFIRMED"), mesh.order("PENDING", step="STOCK"), ids.new_id(clock.utc_now())
    assert set(mesh.books.not_ended([ended, pending, unknown])) == {pending, unknown}


def test_the_way_to_confirmed_is_told_by_the_orders_own_history(mesh: Mesh) -> None:
    since = time.time()
    order = mesh.order("CONFIRMED")
    mesh.write(
        "order",
        """INSERT INTO order_events SELECT %s, n, status, 'x', '', 'x', '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 s'
           FROM (VALUES (1, 'PENDING'), (2, 'RESERVED'), (3, 'CONFIRMED'), (4, 'CONFIRMED')) AS e(n, status)""",
        order,
    )
    [(accepted, confirmed)] = mesh.books.confirmations(since)
    assert confirmed - accepted == 2.0


def test_the_mesh_is_settled_when_no_saga_waits_and_no_event_is_unpublished(mesh: Mesh) -> None:
    assert mesh.books.settle(patience_s=0)
    mesh.order("PENDING", step="STOCK")
    assert not mesh.books.settle(patience_s=0)
