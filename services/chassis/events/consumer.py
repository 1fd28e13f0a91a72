"""The consumer: a batch of records becomes one transaction, in waves that keep each key's order.

A batch is claimed in the inbox, handled and committed together with the events it causes; only then are its offsets.
Failure has two kinds. An outage repeats the whole batch, as often as it takes. Anything else is handled key by key: the
keys that fail are parked with all that follows them (`parked.py`), the others go on. A record that cannot be read is
dead-lettered in the batch's transaction, once: its id is made of where it lies, and claimed like that of an event.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis import clock, database, errors, kafka, logs, loops, metrics, tracing
from services.chassis.events import inbox, parked, reader

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A record that goes to dead-letter, and why."""

    id: str
    record: kafka.Record
    error: str


class Deliverer:
    """Handles the batches of one service. `deliver` is what a `kafka.Consumer` calls."""

    def __init__(self, db: database.Database, table: reader.Reader, *, service: str, now: clock.Clock) -> None:
        self._db = db
        self._table = table
        self._service = service
        self._now = now

    async def deliver(self, records: Sequence[kafka.Record]) -> None:
        """Handle a batch to its end. Returns only when every record is handled, parked or dead-lettered."""
        failures = 0
        while True:
            try:
                await self._deliver_once(records)
            except errors.TransientError as error:
                failures += 1
                metrics.CONSUMER_RETRIES.labels(self._service).inc()
                _LOG.warning("batch is repeated", extra={"failures": failures, "cause": str(error)})
                await asyncio.sleep(loops.backoff(failures))
            else:
                return

    async def _deliver_once(self, records: Sequence[kafka.Record]) -> None:
        readable, unreadable = self._read(records)
        if not readable and not unreadable:
            return
        started = time.perf_counter()
        with logs.carrying(reader.batch_of(readable)):
            try:
                with tracing.continued("consume", [event.traceparent for event in readable]):
                    await self._together(readable, unreadable)
            except errors.TransientError:
                raise
            except Exception:
                # Whatever it is, it belongs to one of the keys: find out which.
                _LOG.exception("batch failed, handling key by key", extra={"events": len(readable)})
                await self._apart(readable, unreadable)
        metrics.BATCH_SECONDS.labels(self._service).observe(time.perf_counter() - started)

    def _read(self, records: Sequence[kafka.Record]) -> tuple[list[reader.Event], list[_Unreadable]]:
        """The events this service consumes, and the records that cannot be read."""
        readable, unreadable = [], []
        for record in records:
            try:
                event = self._table.read(record)
            except reader.UndecodableError as error:
                unreadable.append(_Unreadable(parked.dead_letter_id(record), record, str(error)))
                continue
            if event is not None:
                readable.append(event)
        return readable, unreadable

    async def _together(self, batch: Sequence[reader.Event], unreadable: Sequence[_Unreadable] = ()) -> None:
        """One transaction for all. A batch yields to the event loop between waves, so that calls stay quick."""
        await reader.prepare(batch)
        async with self._db.transaction() as transaction:
            fresh, blocked, dead = await self._claim(transaction, batch, unreadable)
            for number, wave in enumerate(reader.waves(fresh)):
                if number:
                    await asyncio.sleep(0)
                with tracing.causing({event.key: event.traceparent for event in wave}):
                    await reader.dispatch(transaction, wave)
            if blocked:
                await parked.park(transaction, [event.record for event in blocked], error="behind a parked event")
            transaction.emit(
                parked.dead_letter(item.record, self._now(), error=item.error, attempts=1) for item in dead
            )
        for item in dead:
            _LOG.error("undecodable record", extra={"topic": item.record.topic, "offset": item.record.offset})
        metrics.EVENTS_DEAD.labels(self._service).inc(len(dead))
        metrics.EVENTS_HANDLED.labels(self._service).inc(len(fresh))
        metrics.EVENTS_REPEATED.labels(self._service).inc(len(batch) - len(fresh) - len(blocked))
        metrics.BATCH_EVENTS.labels(self._service).observe(len(fresh))

    async def _claim(
        self, transaction: database.Transaction, batch: Sequence[reader.Event], unreadable: Sequence[_Unreadable]
    ) -> tuple[list[reader.Event], list[reader.Event], list[_Unreadable]]:
        """What is new, what waits behind a parked event, and which dead letters were not written before."""
        dead_ids = [item.id for item in unreadable]
        new, parked_keys = await inbox.claim(
            transaction, [event.id for event in batch] + dead_ids, [event.key for event in batch] + dead_ids
        )
        fresh = []
        for event in batch:
            if event.id in new:
                new.remove(event.id)
                fresh.append(event)
        blocked = [event for event in batch if event.key in parked_keys]
        return fresh, blocked, [item for item in unreadable if item.id in new]

    async def _apart(self, batch: Sequence[reader.Event], unreadable: Sequence[_Unreadable]) -> None:
        if unreadable:
            await self._together([], unreadable)
        by_key: dict[str, list[reader.Event]] = {}
        for event in batch:
            by_key.setdefault(event.key, []).append(event)
        for key, own in by_key.items():
            with logs.carrying(reader.identity_of(own[0].id, own[0].record)):
                await self._alone(key, own)

    async def _alone(self, key: str, own: Sequence[reader.Event]) -> None:
        """Handle the events of one key; park them if that fails."""
        try:
            await self._together(own)
        except errors.TransientError:
            raise
        except Exception as error:
            _LOG.exception("event is parked", extra={"key": key, "event_id": own[0].id})
            metrics.EVENTS_PARKED.labels(self._service).inc(len(own))
            async with self._db.transaction() as transaction:
                await parked.park(transaction, [event.record for event in own], error=repr(error))
