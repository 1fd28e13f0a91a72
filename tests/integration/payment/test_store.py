"""What the database itself sees to: the ledger, the amounts, and that the code's tables are the migrated ones."""

import psycopg
import pytest

from services.chassis import database
from services.payment import store
from services.payment.domain import State
from tests.integration.payment.till import Till, confirmed, new_id, requested
from tests.support import tables

ENTRY = """
INSERT INTO ledger_entries (payment_id, version, account, currency, amount, time)
SELECT id, {version}, 'provider_receivable', '{currency}', {amount}, now() FROM payments LIMIT 1
"""


def test_the_codes_tables_are_those_that_the_migrations_make(database_url: str) -> None:
    assert tables.differences(database_url, store.METADATA) == []


async def test_the_ledger_refuses_what_does_not_balance(till: Till) -> None:
    await _captured(till)
    for entry in (
        ENTRY.format(version=90, currency="USD", amount=5),
        ENTRY.format(version=91, currency="EUR", amount=-5),
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="does not balance"):
            await till.db.read(database.Statement(entry))


async def test_the_ledger_refuses_two_currencies_that_only_balance_together(till: Till) -> None:
    await _captured(till)
    with pytest.raises(psycopg.errors.CheckViolation, match="does not balance"):
        async with till.db.transaction() as transaction:
            await transaction.run(database.Statement(ENTRY.format(version=92, currency="USD", amount=5)))
            other = ENTRY.replace("provider_receivable", "order_revenue")
            await transaction.run(database.Statement(other.format(version=92, currency="EUR", amount=-5)))


@pytest.mark.parametrize(
    "change", ["UPDATE ledger_entries SET amount = 1", "DELETE FROM ledger_entries", "TRUNCATE ledger_entries"]
)
async def test_the_ledger_is_only_ever_added_to(till: Till, change: str) -> None:
    await _captured(till)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        await till.db.read(database.Statement(change))


@pytest.mark.parametrize(
    "change",
    ["captured = amount + 1", "refunded = captured + 1", "refunded = -1", "state = 'LOST'", "currency = 'usd'"],
)
async def test_no_payment_can_be_stored_whose_amounts_or_state_make_no_sense(till: Till, change: str) -> None:
    await _captured(till)
    with pytest.raises(psycopg.errors.CheckViolation):
        await till.db.read(database.Statement(f"UPDATE payments SET {change}"))


async def _captured(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
