"""Publishing without an outbox: a fact reaches a real Kafka as a CloudEvent, by the same id however often it is told."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from kafka import KafkaConsumer

from services.chassis import errors, ids, kafka
from services.chassis.events import publisher
from services.chassis.kafka import topics
from services.chassis.outbox import outbox
from souk.order.v1 import order_events_pb2
from tests.support import ports, servers

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Noted:
    """A fact of this test."""

    key: str


def publications(topic: str) -> outbox.Publications:
    return {
        Noted: outbox.Publication(
            topic, lambda fact: str(fact.key), lambda fact: order_events_pb2.OrderCancelled(order_id=fact.key)
        )
    }


def published(topic: str) -> list[tuple[str, dict[str, str], str]]:
    """Keys, headers and orders of what is there."""
    reader = KafkaConsumer(
        topic, bootstrap_servers=servers.kafka_bootstrap(), auto_offset_reset="earliest", consumer_timeout_ms=2000
    )
    try:
        return [
            (
                record.key.decode(),
                {name: value.decode() for name, value in record.headers},
                order_events_pb2.OrderCancelled.FromString(record.value).order_id,
            )
            for record in reader
        ]
    finally:
        reader.close()


async def test_a_fact_that_is_told_twice_has_one_id_and_one_time() -> None:
    topic = f"facts-{uuid.uuid4().hex[:8]}"
    connection = kafka.Connection(servers.kafka_bootstrap(), "test")
    await asyncio.to_thread(topics.ensure, connection, {topic: 1}, replication=1)
    producer = kafka.Producer(connection)
    telling = publisher.Publisher(producer, publications(topic), service="test")
    fact = publisher.Fact(ids.dated(NOW, "order"), NOW, Noted("order"))
    assert await telling.publish([]) == []
    assert [await telling.publish([fact]) for _ in range(2)] == [[True], [True]]
    await producer.stop()

    first, second = await asyncio.to_thread(published, topic)
    assert first == second
    key, headers, order = first
    assert (key, order, headers["ce_id"], headers["ce_time"]) == ("order", "order", fact.id, NOW.isoformat())
    assert (headers["ce_type"], headers["ce_source"]) == ("souk.order.v1.OrderCancelled", "/souk/test")


async def test_without_brokers_it_is_told_that_nothing_was() -> None:
    producer = kafka.Producer(kafka.Connection(ports.free_address(), "test"))
    telling = publisher.Publisher(producer, publications("facts"), service="test")
    with pytest.raises(errors.TransientError):
        await telling.publish([publisher.Fact(ids.dated(NOW, "order"), NOW, Noted("order"))])
