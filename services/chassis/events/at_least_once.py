"""The consumer of a service without a database: every event is handled at least once, and its handlers are idempotent.

There is no inbox that knows what was handled before and no table to park a failing key in. An outage repeats the batch, as
often as it takes. An event that fails for another reason is retried a few times and then dead-lettered; later events of its
key go on. `consumer.py` is the consumer of a service with PostgreSQL: exactly once, with parked keys.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from services.chassis import clock, database, errors, kafka, logs, loops, metrics
from services.chassis.events import parked, reader
from services.chassis.outbox import outbox

_LOG = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
# Takes what was parsed from events, in order, at most one per key; the same event may come again.
Handle = Callable[[Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who handles one type of message: `parse` makes a domain value of it (raising ValueError if it cannot)."""

    parse: Callable[[Any], Any]
    handle: Handle


Subscribers = Mapping[type[Message], Subscriber]


class Deliverer:
    """Handles the batches of one service. `deliver` is what a `kafka.Consumer` calls."""

    def __init__(self, subscribers: Subscribers, producer: kafka.Producer, *, service: str, now: clock.Clock) -> None:
        self._table = reader.Reader(
            {kind: reader.Subscriber(subscriber.parse, _in_transaction) for kind, subscriber in subscribers.items()}
        )
        self._handles = {kind.DESCRIPTOR.full_name: subscriber.handle for kind, subscriber in subscribers.items()}
        self._producer = producer
        self._service = service
        self._now = now

    async def deliver(self, records: Sequence[kafka.Record]) -> None:
        """Handle a batch to its end. Returns only when every record is handled or dead-lettered."""
        readable = [event for record in records if (event := await self._read(record))]
        with logs.carrying(reader.batch_of(readable)):
            try:
                await self._insist(lambda: self._together(readable))
            except Exception:
                # Whatever it is, it belongs to one of the events: find out which.
                _LOG.exception("batch failed, handling one by one", extra={"events": len(readable)})
                for event in readable:
                    with logs.carrying(reader.identity_of(event.id, event.record)):
                        await self._alone(event)
        metrics.EVENTS_HANDLED.labels(self._service).inc(len(readable))

    async def _read(self, record: kafka.Record) -> reader.Event | None:
        try:
            return self._table.read(record)
        except reader.UndecodableError as error:
            _LOG.error("undecodable record", extra={"topic": record.topic, "offset": record.offset})
            await self._dead_letter(record, error=str(error), attempts=1)
            return None

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Repeat it for as long as what it depends on is unavailable."""
        failures = 0
        while True:
            try:
                return await work()
            except errors.TransientError as error:
                failures += 1
                metrics.CONSUMER_RETRIES.labels(self._service).inc()
                _LOG.warning("batch is repeated", extra={"failures": failures, "cause": str(error)})
                await asyncio.sleep(loops.backoff(failures))

    async def _together(self, batch: Sequence[reader.Event]) -> None:
        for wave in reader.waves(batch):
            by_handle: dict[Handle, list[Any]] = {}
            for event in wave:
                by_handle.setdefault(self._handle_of(event), []).append(event.value)
            for handle, values in by_handle.items():
                await handle(values)

    async def _alone(self, event: reader.Event) -> None:
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                return await self._insist(lambda: self._handle_of(event)([event.value]))
            except Exception as error:
                _LOG.exception("event failed", extra={"event_id": event.id, "attempts": attempt})
                cause = repr(error)
                await asyncio.sleep(loops.backoff(attempt))
        return await self._dead_letter(event.record, error=cause, attempts=MOST_ATTEMPTS)

    async def _dead_letter(self, record: kafka.Record, *, error: str, attempts: int) -> None:
        metrics.EVENTS_DEAD.labels(self._service).inc()
        letter = parked.dead_letter(record, self._now(), error=error, attempts=attempts)
        await self._insist(lambda: self._publish(outbox.record(letter, self._service)))

    async def _publish(self, record: kafka.Record) -> None:
        if not all(await self._producer.publish([record])):
            raise errors.TransientError("kafka did not acknowledge a dead letter")

    def _handle_of(self, event: reader.Event) -> Handle:
        return self._handles[event.record.headers["ce_type"]]


async def _in_transaction(_: database.Transaction, values: Sequence[Any]) -> None:
    """Never called: there is no database here, so the handlers are kept apart from the reader's."""
    raise NotImplementedError(values)
