"""A consumer without a database: everything is handled at least once, and what cannot be handled goes to dead-letter."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from kafka import KafkaConsumer

from services.chassis import clock, errors, ids, kafka, loops
from services.chassis.events import at_least_once
from services.chassis.kafka import topics
from services.chassis.outbox import outbox
from souk.order.v1 import order_events_pb2
from tests.support import servers

SERVICE = "test"


class Heard:
    """Handles events by remembering them; fails as told."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.away = 0
        self.broken = ""

    async def hear(self, orders: Sequence[str]) -> None:
        if self.away:
            self.away -= 1
            raise errors.TransientError("Redis is away")
        if self.broken in orders:
            raise ValueError(f"cannot handle {self.broken}")
        self.orders += orders

    def subscribers(self) -> at_least_once.Subscribers:
        return {order_events_pb2.OrderCancelled: at_least_once.Subscriber(lambda m: str(m.order_id), self.hear)}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "backoff", lambda _: 0.001)


@pytest_asyncio.fixture
async def producer() -> AsyncIterator[kafka.Producer]:
    connection = kafka.Connection(servers.kafka_bootstrap(), "test")
    await asyncio.to_thread(topics.ensure, connection, {outbox.DEAD_LETTER: 3}, replication=1)
    made = kafka.Producer(connection)
    yield made
    await made.stop()


def record(order_id: str, **changed: str) -> kafka.Record:
    headers = {"ce_id": ids.new_id(datetime.now(UTC)), "ce_type": "souk.order.v1.OrderCancelled"} | changed
    value = order_events_pb2.OrderCancelled(order_id=order_id).SerializeToString()
    return kafka.Record("orders", order_id, value, headers, 0, 7)


def dead(key: str) -> list[dict[str, str]]:
    """The headers of the dead letters of this key, in their order."""
    reader = KafkaConsumer(
        outbox.DEAD_LETTER,
        bootstrap_servers=servers.kafka_bootstrap(),
        auto_offset_reset="earliest",
        consumer_timeout_ms=2000,
    )
    try:
        found = [{name: text.decode() for name, text in letter.headers} for letter in reader]
    finally:
        reader.close()
    return [headers for headers in found if headers["origin_key"] == key]


def deliverer(heard: Heard, producer: kafka.Producer) -> at_least_once.Deliverer:
    return at_least_once.Deliverer(heard.subscribers(), producer, service=SERVICE, now=clock.utc_now)


async def test_a_batch_is_handled_in_order(producer: kafka.Producer) -> None:
    heard = Heard()
    await deliverer(heard, producer).deliver([record("a"), record("b"), record("a")])
    assert heard.orders == ["a", "b", "a"]


async def test_a_type_that_nobody_subscribed_to_is_passed_over(producer: kafka.Producer) -> None:
    heard = Heard()
    await deliverer(heard, producer).deliver([record("a", ce_type="souk.order.v1.OrderPlaced")])
    assert heard.orders == []


async def test_an_outage_repeats_the_batch_for_as_long_as_it_lasts(producer: kafka.Producer) -> None:
    heard = Heard()
    heard.away = 3 * at_least_once.MOST_ATTEMPTS
    await deliverer(heard, producer).deliver([record("a")])
    assert heard.orders == ["a"]


async def test_an_event_that_cannot_be_handled_is_dead_lettered_and_holds_up_nobody(producer: kafka.Producer) -> None:
    heard = Heard()
    poison, good = f"bad-{uuid.uuid4().hex}", f"good-{uuid.uuid4().hex}"
    heard.broken = poison
    sent = record(poison)
    await deliverer(heard, producer).deliver([sent, record(good)])
    assert heard.orders == [good]
    [letter] = dead(poison)
    assert letter["origin_ce_id"] == sent.headers["ce_id"]
    assert (letter["origin_topic"], letter["attempts"]) == ("orders", str(at_least_once.MOST_ATTEMPTS))
    assert letter["ce_source"] == f"/souk/{SERVICE}"
    assert "cannot handle" in letter["error"]
    assert dead(good) == []


async def test_bytes_that_nobody_can_read_are_dead_lettered_at_once(producer: kafka.Producer) -> None:
    heard = Heard()
    key = f"garbage-{uuid.uuid4().hex}"
    await deliverer(heard, producer).deliver([record(key, ce_id="no id")])
    [letter] = dead(key)
    assert letter["attempts"] == "1"
    assert heard.orders == []
