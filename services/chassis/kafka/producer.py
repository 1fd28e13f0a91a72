"""The producer: sends what the outbox holds, and tells what the brokers have, what they do not, and what they never will."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import (
    InvalidRecordError,
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from services.chassis import errors
from services.chassis.kafka.connection import Connection, Record

_LOG = logging.getLogger(__name__)

# What the brokers, or the library on their behalf, will say of the same record every time: it is too large or invalid.
_REFUSED = (
    InvalidRecordError,
    InvalidTimestampError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    AssertionError,
    TypeError,
    ValueError,
)


# How long a record may take to be acknowledged, and one request for it, in seconds; and how much later it is given up
# whatever the library says.
DELIVERY_S = 20.0
REQUEST_S = 10.0
GRACE_S = 5.0


class Producer:
    """An idempotent producer that waits for all replicas. Connects when it is first used. For one task at a time.

    refusals are those records of the last `publish`, by their place in it, that the brokers will never take, and why.
    """

    def __init__(self, connection: Connection) -> None:
        self.refusals: Mapping[int, str] = {}
        self._connection = connection
        self._producer: KafkaProducer | None = None

    async def start(self) -> None:
        """Nothing: it connects when it is first used, so that a service starts before its brokers do."""

    async def publish(self, records: Sequence[Record]) -> list[bool]:
        """Send all and wait: which of them the brokers have. Raises TransientError when there is no broker to ask."""
        return await asyncio.to_thread(self._publish, records)

    def _publish(self, records: Sequence[Record]) -> list[bool]:
        try:
            producer = self._connected()
        except KafkaError as error:
            raise errors.TransientError(f"kafka: {error}") from error
        try:
            sent = [_send(producer, record) for record in records]
            _flush(producer)
        except KafkaError as error:
            self._abandon(producer)
            raise errors.TransientError(f"kafka: {error}") from error
        failures = [_failure(item) for item in sent]
        self.refusals = {n: repr(failure) for n, failure in enumerate(failures) if isinstance(failure, _REFUSED)}
        acked = [failure is None for failure in failures]
        if not all(acked):
            # An idempotent producer that lost a batch may refuse all that follow; a new one starts a new sequence.
            cause = next(repr(failure) for failure in failures if failure)
            _LOG.warning("records were not acknowledged", extra={"count": acked.count(False), "cause": cause})
            self._abandon(producer)
        return acked

    def _abandon(self, producer: KafkaProducer) -> None:
        """Use it no more, and let it send nothing more."""
        self._producer = None
        try:
            producer.close(0)
        except KafkaError:
            # It closes only when every batch has an outcome, and some will never have one.
            producer._sender.force_close()  # noqa: SLF001 - there is no public way, and the version is pinned

    def _connected(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = self._connection.opened(
                KafkaProducer,
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                batch_size=131072,
                delivery_timeout_ms=int(DELIVERY_S * 1000),
                request_timeout_ms=int(REQUEST_S * 1000),
                max_block_ms=5000,
                metrics_enabled=False,
            )
        return self._producer

    async def stop(self) -> None:
        """Send what is buffered and disconnect."""
        if self._producer is not None:
            await asyncio.to_thread(self._producer.close, 5)


def _send(producer: KafkaProducer, record: Record) -> Any:
    """The library's promise of an acknowledgement, or why the record can never be sent. Raises KafkaError."""
    try:
        return producer.send(
            record.topic,
            key=record.key.encode(),
            value=record.value,
            headers=[(name, text.encode()) for name, text in record.headers.items()],
        )
    except _REFUSED as error:
        return error


def _flush(producer: KafkaProducer) -> None:
    """Wait for the outcome of all that was sent; what has none in time counts as not acknowledged.

    The library's own delivery timeout does not hold while it asks for a new producer id, as it does after records expired:
    if the brokers are still away then, the request is lost, and nothing that was sent ever has an outcome.
    """
    try:
        producer.flush(DELIVERY_S + GRACE_S)
    except KafkaTimeoutError:
        _LOG.warning("the producer has no outcome for what was sent", extra={"waited_s": DELIVERY_S + GRACE_S})


def _failure(sent: Any) -> BaseException | None:
    if isinstance(sent, BaseException):
        return sent
    if sent.succeeded():
        return None
    failure: BaseException | None = sent.exception
    return failure or KafkaError("no acknowledgement")
