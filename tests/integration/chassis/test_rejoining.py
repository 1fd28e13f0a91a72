"""A consumer whose rejoin is cut off in the middle takes it up again, instead of waiting for ever outside of its group."""

import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaConsumer

from services.chassis import kafka
from services.chassis.kafka import topics
from tests.support import servers


@pytest.fixture
def consumer() -> Iterator[KafkaConsumer]:
    """A member of a group of its own, with partitions of a topic of its own."""
    bootstrap, name = servers.kafka_bootstrap(), f"test-{uuid.uuid4().hex[:12]}"
    topics.ensure(kafka.Connection(bootstrap, "test"), {name: 2}, replication=1)
    reader = kafka.Consumer(kafka.Connection(bootstrap, name), kafka.Subscription([name], name, 10), _ignore)
    consumer = reader._connected()
    _poll_until(consumer, lambda: bool(consumer.assignment()))
    yield consumer
    consumer.close(autocommit=False)


async def _ignore(_: object) -> None:
    """Handles a batch by doing nothing."""


def _poll_until(consumer: KafkaConsumer, happened: Callable[[], bool], *, poll_ms: int = 200) -> None:
    until = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < until
        consumer.poll(timeout_ms=poll_ms)


def test_a_rejoin_that_a_poll_did_not_wait_for_is_taken_up_again(consumer: KafkaConsumer) -> None:
    coordinator = consumer._coordinator
    # As if the partitions of the topic had changed since they were assigned.
    coordinator._assignment_snapshot = {}
    _poll_until(consumer, lambda: _forgotten(consumer), poll_ms=1)

    kafka.consumer.remind(consumer)
    _poll_until(consumer, coordinator.stable)

    assert len(consumer.assignment()) == 2
    assert not coordinator.need_rejoin()


def _forgotten(consumer: KafkaConsumer) -> bool:
    """Whether the library is in the middle of a rejoin and sees no reason to go on with it."""
    coordinator = consumer._coordinator
    return bool(coordinator.rebalance_in_progress() and not coordinator.need_rejoin())
