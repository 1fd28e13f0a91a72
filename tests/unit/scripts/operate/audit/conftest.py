"""The services' real, migrated databases for books that a test writes, and a real provider."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from scripts.operate.audit.books import INVARIANTS, Books
from tests.support import postgres, servers, simulators
from tests.unit.scripts.operate.audit.written import SALE, Shop

TABLES = {
    "order": "orders, sagas, order_events, documents, document_series",
    "payment": "payments, refunds, ledger_entries, disputes",
    "inventory": "stock, movements, reservations, supplies, supply_lines, counts, count_lines",
    "promotion": "promotions, codes, code_batches, redemptions",
    "shipping": "parcels, parcel_events",
}


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        admin = servers.postgres_admin_url()
        yield {name: stack.enter_context(postgres.fresh_database(admin, name)) for name in INVARIANTS}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulators.provider(tmp_path_factory.mktemp("provider")) as url:
        yield url


@pytest.fixture
def shop(urls: dict[str, str]) -> Shop:
    # Histories are append-only, even for tests: what an earlier one wrote is dropped with the triggers off.
    for service, names in TABLES.items():
        with psycopg.connect(urls[service]) as connection:
            connection.execute(b"SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {names}, parked_events CASCADE".encode())
    shop = Shop(Books(urls))
    shop.write("inventory", "INSERT INTO stock VALUES ('MUG', 'east', 10, 0)")
    shop.move(10, "")
    shop.write(
        "promotion",
        "INSERT INTO promotions VALUES (%s, '{}', false, 0, 0, NULL, NULL, now(), now(), 1)",
        SALE,
    )
    return shop
