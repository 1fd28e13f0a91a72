"""Brokers that let a service do what the registry says that it does, and nothing else: after the command `topics`.

They are like MSK's: whatever no ACL is about is everybody's, so it is the ACLs that refuse, and nobody is above them.
"""

import asyncio
import functools
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ACLFilter, ACLOperation, ACLPermissionType
from kafka.errors import (
    GroupAuthorizationFailedError,
    SecurityDisabledError,
    TopicAuthorizationFailedError,
)

from services import registry
from services.chassis import errors, kafka
from services.chassis.kafka import rights, security
from services.chassis.settings import read
from tests.support import polling, programs, secure_kafka, servers

KNOWN = registry.load()
SERVICES = KNOWN.services
CONSUMING = [name for name, service in SERVICES.items() if service.consumes]
# One that publishes and one that consumes what it publishes.
PUBLISHER, READER, TOPIC = "order", "inventory", "orders"
ANSWERS_WITHIN_S = 30


def command(broker: secure_kafka.Broker, user: str) -> tuple[int, str, str]:
    """`python -m services topics` as this user: how it ended, and what it said."""
    environ = secure_kafka.environment(broker, user) | {"KAFKA_REPLICATION": "1"}
    pipe = subprocess.PIPE
    with programs.running(["topics"], environ, stdout=pipe, stderr=pipe) as made:
        said, complained = made.communicate(timeout=60)
    return made.returncode, said.decode(), complained.decode()


@pytest.fixture(scope="module", autouse=True)
def granted(broker: secure_kafka.Broker) -> None:
    """The registry's topics, each with a record, and everybody's rights."""
    assert command(broker, secure_kafka.ADMINISTRATOR)[0] == 0
    with closing(KafkaProducer(**as_user(broker, secure_kafka.USER).options())) as producer:
        for topic in KNOWN.topics:
            producer.send(topic, b"1", partition=0).get(ANSWERS_WITHIN_S)


def as_user(broker: secure_kafka.Broker, name: str) -> kafka.Connection:
    return read(security.Settings, secure_kafka.environment(broker, name)).connection(name)


def write_one(producer: KafkaProducer, topic: str) -> None:
    producer.send(topic, b"2").get(ANSWERS_WITHIN_S)


def read_one(consumer: KafkaConsumer, topic: str) -> None:
    if topic not in consumer.topics():
        # Brokers hide what may not even be described, and the consumer would look for it forever.
        raise TopicAuthorizationFailedError(topic)
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    consumer.seek(first, 0)
    until = time.monotonic() + ANSWERS_WITHIN_S
    while not consumer.poll(timeout_ms=500):
        assert time.monotonic() < until, topic


def allowed(attempt: Callable[[Any, str], None], make: Callable[[], Any]) -> set[str]:
    """The topics with which the brokers let somebody do this: a new client for each, as a refused one remembers."""
    found = set()
    for topic in KNOWN.topics:
        with suppress(TopicAuthorizationFailedError), closing(make()) as client:
            attempt(client, topic)
            found.add(topic)
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_what_it_publishes_and_reads_what_it_consumes_and_nothing_else(
    broker: secure_kafka.Broker, name: str
) -> None:
    service, options = SERVICES[name], as_user(broker, name).options()
    written = {*service.publishes, *(["dead-letter"] if service.consumes else [])}
    assert allowed(write_one, functools.partial(KafkaProducer, **options)) == written
    assert allowed(read_one, functools.partial(KafkaConsumer, **options)) == set(service.consumes)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_knows_no_group_of_anothers(broker: secure_kafka.Broker, name: str) -> None:
    position = TopicPartition((*SERVICES[name].consumes, *SERVICES[name].publishes, TOPIC)[0], 0)
    known = set()
    for group in CONSUMING:
        member = KafkaConsumer(**as_user(broker, name).options(), group_id=group)
        with suppress(GroupAuthorizationFailedError), closing(member):
            member.committed(position)
            known.add(group)
    assert known == {name} & set(CONSUMING)


def test_the_rights_are_those_of_the_registry_and_are_given_once(broker: secure_kafka.Broker) -> None:
    code, said, _ = command(broker, secure_kafka.ADMINISTRATOR)
    assert (code, said.splitlines()[-1]) == (0, f"topics: 0 made, {len(KNOWN.topics)} were there; 0 rights given")
    everything = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, rights.EVERY)
    with closing(KafkaAdminClient(**as_user(broker, secure_kafka.ADMINISTRATOR).options())) as admin:
        there, _ = admin.describe_acls(everything)
    wanted = rights.of_administrator(secure_kafka.ADMINISTRATOR, list(KNOWN.topics))
    wanted += [acl for service in SERVICES.values() for acl in rights.of_service(service)]
    assert set(there) == set(wanted)


def test_what_somebody_else_allowed_stays(broker: secure_kafka.Broker) -> None:
    connection = as_user(broker, secure_kafka.ADMINISTRATOR)
    [other] = rights.of_administrator("somebody", [])[:1]
    lost = rights.of_service(SERVICES[READER])[0]
    with closing(KafkaAdminClient(**connection.options())) as admin:
        admin.create_acls([other])
        admin.delete_acls([lost])
        assert rights.grant(connection, secure_kafka.ADMINISTRATOR, list(KNOWN.topics), SERVICES.values()) == [lost]
        [(_, found, _)] = admin.delete_acls([other])
    assert found == [other]


def test_a_service_gives_nobody_any_rights(broker: secure_kafka.Broker) -> None:
    code, _, complained = command(broker, PUBLISHER)
    assert code == 1
    assert "AuthorizationFailed" in complained.splitlines()[-1]
    assert "Traceback" not in complained


def test_brokers_that_allow_everything_are_left_as_they_are() -> None:
    with pytest.raises(SecurityDisabledError):
        rights.grant(kafka.Connection(servers.kafka_bootstrap(), "test"), "topics", [], SERVICES.values())


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


@pytest.mark.parametrize(("name", "topic"), [(PUBLISHER, "payments"), (READER, TOPIC), ("user", "catalog")])
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
