"""The bench's questions on the services' real, migrated databases, and beside a real provider."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from scripts.bench import audit
from scripts.bench.books import Books, Statuses
from services.chassis import clock, ids
from tests.support import postgres, servers, simulators

SERVICES = ("order", "payment", "inventory")
TOTAL = 700


class Mesh:
    """Orders as the services would have written them."""

    def __init__(self, books: Books, provider: str) -> None:
        self.books = books
        self.provider = provider

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

    def charge(self, amount: int) -> None:
        body = {"amount": amount, "currency": "USD", "payment_method": "card_approved", "reference": "r"}
        charge = self._post("/v1/charges", body)
        self._post(f"/v1/charges/{charge['id']}/capture", {"amount": amount})

    def sell(self, quantity: int, *, counted: int | None = None) -> None:
        self.write("inventory", "INSERT INTO stock VALUES ('MUG', 'east', %s, 0)", 10 - quantity)
        self.write(
            "inventory",
            """INSERT INTO movements (sku, warehouse, delta, reason, reference, time)
               VALUES ('MUG', 'east', 10, 'counted', '', now()), ('MUG', 'east', %s, 'sold', 'o', now())""",
            -(quantity if counted is None else counted),
        )

    def _post(self, path: str, body: dict[str, object]) -> dict[str, str]:
        headers = {"Idempotency-Key": ids.new_id(clock.utc_now())}
        answer = httpx.post(self.provider + path, json=body, headers=headers)
        answer.raise_for_status()
        found: dict[str, str] = answer.json()
        return found

    def problems(self) -> list[str]:
        return audit.problems(self.books, self.provider)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        admin = servers.postgres_admin_url()
        yield {name: stack.enter_context(postgres.fresh_database(admin, name)) for name in SERVICES}


@pytest.fixture
def mesh(urls: dict[str, str], tmp_path: Path) -> Iterator[Mesh]:
    # Histories are append-only, even for tests: what an earlier one wrote is dropped with the triggers off.
    tables = {
        "order": "orders, sagas, order_events",
        "payment": "payments, refunds, ledger_entries",
        "inventory": "stock, movements",
    }
    for service, names in tables.items():
        with psycopg.connect(urls[service]) as connection:
            connection.execute(b"SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {names}, outbox".encode())
    with simulators.provider(tmp_path / "provider") as provider:
        yield Mesh(Books(urls, tmp_path), provider)


def test_books_that_agree_have_no_problems(mesh: Mesh) -> None:
    mesh.order("CONFIRMED", captured=TOTAL)
    mesh.order("CANCELLED")
    mesh.charge(TOTAL)
    mesh.sell(2)
    assert mesh.problems() == []


def test_a_confirmed_order_that_was_not_paid_is_found(mesh: Mesh) -> None:
    order = mesh.order("CONFIRMED")
    mesh.sell(2)
    [wrong, provider] = mesh.problems()
    assert wrong == f"1 orders whose money is wrong: {order} is CONFIRMED for 700 USD and 0 was taken"
    assert provider == "the provider took {} and the confirmed orders cost {'USD': 700}"


def test_money_kept_for_a_cancelled_order_is_found(mesh: Mesh) -> None:
    mesh.order("CANCELLED", captured=TOTAL)
    assert "CANCELLED for 700 USD and 700 was taken" in mesh.problems()[0]


def test_a_charge_that_only_the_provider_knows_of_is_found(mesh: Mesh) -> None:
    mesh.order("CONFIRMED", captured=TOTAL)
    mesh.sell(2)
    mesh.charge(TOTAL)
    mesh.charge(TOTAL)
    assert mesh.problems() == ["the provider took {'USD': 1400} and the confirmed orders cost {'USD': 700}"]


def test_a_payment_without_an_order_is_found(mesh: Mesh) -> None:
    mesh.payment(ids.new_id(clock.utc_now()), 1)
    assert "1 payments without an order" in mesh.problems()[0]


def test_more_sold_than_bought_is_found(mesh: Mesh) -> None:
    mesh.order("CONFIRMED", captured=TOTAL)
    mesh.charge(TOTAL)
    mesh.sell(3)
    assert mesh.problems() == ["1 SKUs of which other numbers were sold than bought: MUG: bought 2, sold 3"]


def test_stock_that_its_movements_do_not_explain_is_found(mesh: Mesh) -> None:
    mesh.order("CONFIRMED", captured=TOTAL)
    mesh.charge(TOTAL)
    mesh.sell(1, counted=2)
    assert mesh.problems() == [
        "1 stock rows that are wrong: MUG in east: 9 on hand, 0 still reserved, movements add up to 8"
    ]


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
