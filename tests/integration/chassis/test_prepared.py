"""What events ask for outside the database: done before the transaction that handles them, and again whenever they come again."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import clock, database, errors, ids, kafka
from services.chassis.events import consumer, parked, reader
from souk.order.v1 import order_events_pb2
from tests.support import postgres

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"

KINDS = order_events_pb2.OrderCancelled, order_events_pb2.OrderConfirmed
HANDLED = database.Statement("SELECT event_id::text FROM inbox ORDER BY event_id")


class Outside:
    """Something outside the database that is told of orders, and fails as a test says."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.bad: set[str] = set()
        self.told: list[list[str]] = []

    async def tell(self, keys: Sequence[str]) -> None:
        self.told.append(list(keys))
        if self.failures:
            raise self.failures.pop(0)
        if self.bad & set(keys):
            raise ValueError("cannot be told")

    def reader(self) -> reader.Reader:
        return reader.Reader({kind: reader.Subscriber(_order, prepare=self.tell) for kind in KINDS})


def _order(message: Any) -> str:
    return str(message.order_id)


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        await opened.read(database.Statement("TRUNCATE inbox, parked_events"))
        yield opened


def record(key: str, kind: Any = order_events_pb2.OrderCancelled) -> kafka.Record:
    headers = {"ce_id": ids.new_id(datetime.now(UTC)), "ce_type": kind.DESCRIPTOR.full_name}
    return kafka.Record("orders", key, kind(order_id=key).SerializeToString(), headers, 0, 1)


async def deliver(db: database.Database, outside: Outside, *records: kafka.Record) -> None:
    await consumer.Deliverer(db, outside.reader(), service="test", now=clock.utc_now).deliver(records)


async def handled(db: database.Database) -> list[str]:
    return [event_id for (event_id,) in await db.read(HANDLED)]


async def test_all_events_of_a_batch_are_prepared_at_once_whatever_their_kinds_and_waves(db: database.Database) -> None:
    outside = Outside()
    given = [record("a"), record("a", order_events_pb2.OrderConfirmed), record("b")]
    await deliver(db, outside, *given)
    assert outside.told == [["a", "a", "b"]]
    assert await handled(db) == sorted(each.headers["ce_id"] for each in given)


async def test_an_event_that_comes_again_is_prepared_again(db: database.Database) -> None:
    outside, given = Outside(), record("a")
    await deliver(db, outside, given)
    await deliver(db, outside, given)
    assert outside.told == [["a"], ["a"]]


async def test_an_outage_of_what_is_outside_repeats_the_batch_and_counts_nothing_as_handled(
    db: database.Database,
) -> None:
    outside = Outside(errors.TransientError("away"))
    given = record("a")
    await deliver(db, outside, given)
    assert outside.told == [["a"], ["a"]]
    assert await handled(db) == [given.headers["ce_id"]]


async def test_a_key_whose_preparation_fails_is_parked_and_prepared_again_when_it_is_tried_again(
    db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "FIRST_PAUSE_S", 0.0)
    outside = Outside()
    outside.bad = {"bad"}
    good, bad = record("good"), record("bad")
    await deliver(db, outside, good, bad)
    assert await handled(db) == [good.headers["ce_id"]]
    assert [row[1] for row in await parked.listed(db)] == ["bad"]
    outside.bad = set()
    await parked.Retrier(db, outside.reader(), service="test", now=clock.utc_now).work()
    assert outside.told[-1] == ["bad"]
    assert await handled(db) == sorted(each.headers["ce_id"] for each in (good, bad))
