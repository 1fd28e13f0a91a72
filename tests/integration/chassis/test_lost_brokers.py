"""A broker that is away for longer than a record may take: the producer tells so, and goes on when the broker is back."""

import asyncio
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis import errors, kafka
from services.chassis.kafka import producer, security, topics
from services.chassis.settings import read
from tests.support import secure_kafka, servers

TOPIC = "outage"
RECORDS = [kafka.Record(TOPIC, str(key), b"1", {}) for key in range(20)]


async def _published(sender: kafka.Producer) -> bool:
    """Whether the broker has all of them. Ends in any case, in not much more than the time that a record may take."""
    async with asyncio.timeout(producer.DELIVERY_S + producer.GRACE_S + 10):
        try:
            return all(await sender.publish(RECORDS))
        except errors.TransientError:
            return False


async def _published_in_time(sender: kafka.Producer) -> None:
    until = time.monotonic() + 30
    while not await _published(sender):
        assert time.monotonic() < until


async def test_a_producer_goes_on_after_an_outage_that_was_longer_than_its_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "DELIVERY_S", 2.0)
    monkeypatch.setattr(producer, "REQUEST_S", 1.0)
    monkeypatch.setattr(producer, "GRACE_S", 1.0)
    broker = secure_kafka.made(tmp_path)
    environ = secure_kafka.environment(broker, secure_kafka.USER)
    secured = read(security.Settings, environ).connection("test")
    reached = replace(secured, security={**secured.security, "bootstrap_timeout_ms": 1000})
    sender = kafka.Producer(reached)
    with secure_kafka.serving(tmp_path):
        await asyncio.to_thread(topics.ensure, secured, {TOPIC: 6}, replication=1)
        await _published_in_time(sender)
    # The records of this call expire while the broker is away: each try ends, and says that they are not there.
    assert [await _published(sender) for _ in range(2)] == [False, False]
    with secure_kafka.serving(tmp_path):
        await _published_in_time(sender)
    await sender.stop()


async def test_a_producer_that_has_no_outcome_for_its_records_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer, "DELIVERY_S", 1.0)
    monkeypatch.setattr(producer, "REQUEST_S", 0.5)
    monkeypatch.setattr(producer, "GRACE_S", 0.2)
    reached = kafka.Connection(servers.kafka_bootstrap(), "test")
    await asyncio.to_thread(topics.ensure, reached, {TOPIC: 6}, replication=1)
    sender = kafka.Producer(reached)
    assert await _published(sender)
    replaced = sender._producer
    assert replaced is not None
    replaced._sender.run_once = lambda: time.sleep(0.01)
    assert not await _published(sender)
    await asyncio.to_thread(replaced._sender.join, 5)
    assert not replaced._sender.is_alive(), "it could still send what is sent again"
    assert await _published(sender)
    await sender.stop()


# In a process of its own, where nobody else opens files. It collects no garbage: what is kept until then is kept.
_TRIES = """
import gc, logging, os, threading
import kafka
from services.chassis.kafka import Connection

gc.disable()

def kept():
    return len(os.listdir("/proc/self/fd")), threading.active_count()

logging.disable()
unreached, before = Connection("127.0.0.1:1", "test", {"bootstrap_timeout_ms": 100}), kept()
for kind in (kafka.KafkaAdminClient, kafka.KafkaConsumer, kafka.KafkaProducer):
    for _ in range(3):
        try:
            unreached.opened(kind)
        except kafka.errors.KafkaError:
            pass
    print(kind.__name__, "keeps nothing" if kept() == before else f"keeps {kept()} after {before}")
"""


def test_a_try_that_reaches_no_broker_leaves_no_thread_and_no_file() -> None:
    command = [sys.executable, "-c", _TRIES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own
    assert done.stdout.splitlines() == [
        "KafkaAdminClient keeps nothing",
        "KafkaConsumer keeps nothing",
        "KafkaProducer keeps nothing",
    ], done.stderr
