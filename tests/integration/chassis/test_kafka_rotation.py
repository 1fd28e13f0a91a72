"""The password at the brokers changes while a process runs: what connects next signs in with the one in the file."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest_asyncio
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from prometheus_client import REGISTRY

from services.chassis import kafka
from services.chassis.kafka import security, topics
from services.chassis.settings import read
from tests.support import polling, secure_kafka

TOPIC = "rotating"


def alarms() -> float:
    return REGISTRY.get_sample_value("souk_alarms_total", {"service": "order", "alarm": "login_refused"}) or 0.0


class Rotation:
    """The broker's only user that may do everything, and the file with its password."""

    def __init__(self, broker: secure_kafka.Broker, path: Path) -> None:
        self.path = path
        path.write_text(secure_kafka.PASSWORD)
        environ = secure_kafka.environment(broker, secure_kafka.USER)
        del environ["KAFKA_PASSWORD"]
        chosen = read(security.Settings, environ | {"KAFKA_PASSWORD_FILE": str(path)}, service="order")
        self.connection = chosen.connection("rotation")
        self._admin = self.connection.opened(KafkaAdminClient)

    async def turn(self, password: str = "") -> str:
        """A new password at the broker, whose file is as it was: the new password."""
        password = password or uuid.uuid4().hex
        change = UserScramCredentialUpsertion(secure_kafka.USER, ScramMechanism.SCRAM_SHA_512, password)
        told = await asyncio.to_thread(self._admin.alter_user_scram_credentials, [change])
        assert told == {secure_kafka.USER: None}
        return password

    async def close(self) -> None:
        await self.turn(secure_kafka.PASSWORD)
        await asyncio.to_thread(self._admin.close)


@pytest_asyncio.fixture
async def rotation(broker: secure_kafka.Broker, tmp_path: Path) -> AsyncIterator[Rotation]:
    made = Rotation(broker, tmp_path / "password")
    await asyncio.to_thread(topics.ensure, made.connection, {TOPIC: 1}, replication=1)
    yield made
    await made.close()


async def published(rotation: Rotation, value: bytes) -> list[bool]:
    """By a producer that connects now."""
    producer = kafka.Producer(rotation.connection)
    try:
        return await producer.publish([kafka.Record(TOPIC, "a", value, {})])
    finally:
        await producer.stop()


async def test_a_process_publishes_after_its_password_has_changed_twice(rotation: Rotation) -> None:
    before = alarms()
    for value in (b"1", b"2"):
        rotation.path.write_text(await rotation.turn())
        assert await published(rotation, value) == [True]
    assert alarms() == before


async def test_who_is_refused_raises_an_alarm_and_gets_in_once_the_file_is_right(rotation: Rotation) -> None:
    values: list[bytes] = []

    async def deliver(records: Sequence[kafka.Record]) -> None:
        values.extend(record.value for record in records)

    async def heard() -> bool:
        return bool(values)

    async def alarmed() -> bool:
        return alarms() > before

    before, password = alarms(), await rotation.turn()
    consumer = kafka.Consumer(rotation.connection, kafka.Subscription([TOPIC], uuid.uuid4().hex, 10), deliver)
    await consumer.start()
    try:
        await polling.eventually(alarmed, within_s=30)
        rotation.path.write_text(password)
        assert await published(rotation, b"late") == [True]
        await polling.eventually(heard, within_s=60)
    finally:
        await consumer.stop()
