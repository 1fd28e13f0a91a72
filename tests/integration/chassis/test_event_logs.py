"""Log lines about events say which event they are about, whoever handles it: the consumer, a retry, a consumer without tables."""

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis import clock, database, ids, kafka, logs, loops
from services.chassis.events import at_least_once, consumer, parked, reader
from services.chassis.kafka import topics
from services.chassis.outbox import outbox
from souk.order.v1 import order_events_pb2
from tests.support import servers

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
LOG = logging.getLogger(__name__)


class Lines(logging.Handler):
    """The lines that the process would write, formatted when and where they are logged."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(json.loads(logs.JsonFormatter().format(record)))

    def about(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.written if line["message"] == message]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def handled(order_ids: Sequence[str]) -> None:
    """Says something, as a use case does, and fails at what is bad."""
    LOG.warning("a use case says something", extra={"orders": list(order_ids)})
    if "bad" in order_ids:
        raise ValueError("cannot be handled")


async def handle(_: database.Transaction, order_ids: Sequence[str]) -> None:
    handled(order_ids)


async def handle_without_tables(order_ids: Sequence[str]) -> None:
    handled(order_ids)


def parse(message: Any) -> str:
    return str(message.order_id)


READER = reader.Reader({order_events_pb2.OrderCancelled: reader.Subscriber(parse, handle)})


def record(order_id: str) -> kafka.Record:
    headers = {
        "ce_id": ids.new_id(datetime.now(UTC)),
        "ce_type": "souk.order.v1.OrderCancelled",
        "traceparent": TRACEPARENT,
    }
    value = order_events_pb2.OrderCancelled(order_id=order_id).SerializeToString()
    return kafka.Record("orders", order_id, value, headers, 0, 7)


def identity(of: kafka.Record) -> dict[str, str]:
    return {"event_id": of.headers["ce_id"], "topic": "orders", "key": of.key, "trace_id": TRACE}


def shown(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("event_id", "topic", "key", "trace_id", "batch_events") if name in line}


async def test_the_consumers_lines_name_the_event_or_the_first_of_a_batch_and_its_size(
    db: database.Database, lines: Lines
) -> None:
    good, bad = record("good"), record("bad")
    await consumer.Deliverer(db, READER, service="test", now=clock.utc_now).deliver([good, bad])
    assert [shown(line) for line in lines.about("a use case says something")] == [
        identity(good) | {"batch_events": "2"},
        identity(good),
        identity(bad),
    ]
    [together] = lines.about("batch failed, handling key by key")
    assert shown(together) == identity(good) | {"batch_events": "2"}
    [alone] = lines.about("event is parked")
    assert shown(alone) == identity(bad)
    assert logs.context.get() == {}, "what comes next is not about these events"


async def test_the_lines_of_a_retry_name_its_event(
    db: database.Database, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "FIRST_PAUSE_S", 0.0)
    await db.read(database.Statement("TRUNCATE parked_events"))
    bad = record("bad")
    await consumer.Deliverer(db, READER, service="test", now=clock.utc_now).deliver([bad])
    lines.written.clear()
    await parked.Retrier(db, READER, service="test", now=clock.utc_now).work()
    for message in ("a use case says something", "parked event failed again"):
        [line] = lines.about(message)
        assert shown(line) == identity(bad)
    assert logs.context.get() == {}


async def test_the_lines_of_a_consumer_without_tables_name_the_event(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "backoff", lambda _: 0.001)
    monkeypatch.setattr(at_least_once, "MOST_ATTEMPTS", 1)
    connection = kafka.Connection(servers.kafka_bootstrap(), "test")
    await asyncio.to_thread(topics.ensure, connection, {outbox.DEAD_LETTER: 3}, replication=1)
    producer = kafka.Producer(connection)
    subscribers: at_least_once.Subscribers = {
        order_events_pb2.OrderCancelled: at_least_once.Subscriber(parse, handle_without_tables)
    }
    good, bad = record("good"), record("bad")
    await at_least_once.Deliverer(subscribers, producer, service="test", now=clock.utc_now).deliver([good, bad])
    await producer.stop()
    assert [shown(line) for line in lines.about("a use case says something")] == [
        identity(good) | {"batch_events": "2"},
        identity(good),
        identity(bad),
    ]
    [line] = lines.about("event failed")
    assert shown(line) == identity(bad)
    assert logs.context.get() == {}
