"""Brokers that let a service do what the registry says that it does, and nothing else."""

import asyncio
from collections.abc import Sequence

import pytest

from services import kafka_security, registry, topics
from services.chassis import errors, kafka
from services.chassis.settings import read
from tests.support import polling, secure_kafka

SERVICES = registry.load().services
# One that publishes and one that consumes what it publishes.
PUBLISHER, READER, TOPIC = "order", "inventory", "orders"


@pytest.fixture(scope="module", autouse=True)
def granted(broker: secure_kafka.Broker) -> None:
    """The registry's topics, and the rights of both."""
    admin = as_user(broker, secure_kafka.USER)
    topics.ensure(admin, dict.fromkeys(registry.load().topics, 1), replication=1)
    for name in (PUBLISHER, READER):
        secure_kafka.grant(admin, SERVICES[name])


def as_user(broker: secure_kafka.Broker, name: str) -> kafka.Connection:
    environ = {
        "KAFKA_BOOTSTRAP": broker.bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_CA_FILE": broker.ca_file,
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_USERNAME": name,
        "KAFKA_PASSWORD": secure_kafka.PASSWORD,
    }
    return read(kafka_security.Settings, environ).connection(name)


def said(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with its topics and causes."""
    return "\n".join(
        f"{record.getMessage()} {getattr(record, 'topics', '')}{getattr(record, 'cause', '')}"
        for record in caplog.records
    )


async def publish(connection: kafka.Connection, topic: str) -> list[bool]:
    producer = kafka.Producer(connection)
    try:
        return await producer.publish([kafka.Record(topic, "a", b"1", {})])
    finally:
        await producer.stop()


async def test_the_rights_of_the_registry_are_enough_to_publish_and_to_consume(broker: secure_kafka.Broker) -> None:
    assert await publish(as_user(broker, PUBLISHER), TOPIC) == [True]
    came = asyncio.Event()

    async def deliver(records: Sequence[kafka.Record]) -> None:
        if records:
            came.set()

    consumer = kafka.Consumer(as_user(broker, READER), kafka.Subscription([TOPIC], READER, 10), deliver)
    await consumer.start()
    async with asyncio.timeout(60):
        await came.wait()
    await consumer.stop()
    assert await publish(as_user(broker, READER), "dead-letter") == [True]


@pytest.mark.parametrize(("name", "topic"), [(PUBLISHER, "payments"), (READER, TOPIC), ("payment", "payments")])
async def test_a_topic_that_is_not_its_own_refuses_a_service_and_is_named(
    broker: secure_kafka.Broker, name: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        assert await publish(as_user(broker, name), topic) == [False]
        told = said(caplog)
    except errors.TransientError as error:
        told = str(error)
    assert "TopicAuthorizationFailed" in told


@pytest.mark.parametrize(
    ("topic", "group", "cause"),
    [
        ("payments", READER, "topics are missing, or must not be read ['payments']"),
        (TOPIC, "order", "GroupAuthorizationFailed"),
    ],
)
async def test_a_topic_or_a_group_that_is_not_its_own_gives_a_consumer_nothing_and_the_log_says_why(
    broker: secure_kafka.Broker, topic: str, group: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def deliver(records: Sequence[kafka.Record]) -> None:
        raise AssertionError(records)

    async def told() -> bool:
        return cause in said(caplog)

    consumer = kafka.Consumer(as_user(broker, READER), kafka.Subscription([topic], group, 10), deliver)
    await consumer.start()
    try:
        await polling.eventually(told, within_s=30)
    finally:
        await consumer.stop()
