"""The consumer: a batch of records becomes one transaction, in waves that keep each key's order.

A batch is claimed in the inbox, handled and committed together with the events it causes; only then are its offsets.
Failure has two kinds. An outage repeats the whole batch, as often as it takes. Anything else is handled key by key: the
keys that fail are parked with all that follows them (`parked.py`), the others go on.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from services.chassis import clock, database, errors, events, inbox, kafka, loops, metrics, parked, tracing

_LOG = logging.getLogger(__name__)


class Deliverer:
    """Handles the batches of one service. `deliver` is what a `kafka.Consumer` calls."""

    def __init__(self, db: database.Database, reader: events.Reader, *, service: str, now: clock.Clock) -> None:
        self._db = db
        self._reader = reader
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
        readable = await self._readable(records)
        if not readable:
            return
        started = time.perf_counter()
        try:
            with tracing.continued("consume", [event.traceparent for event in readable]):
                await self._together(readable)
        except errors.TransientError:
            raise
        except Exception:
            # Whatever it is, it belongs to one of the keys: find out which.
            _LOG.exception("batch failed, handling key by key", extra={"events": len(readable)})
            await self._apart(readable)
        metrics.BATCH_SECONDS.labels(self._service).observe(time.perf_counter() - started)

    async def _readable(self, records: Sequence[kafka.Record]) -> list[events.Event]:
        """The events this service consumes. What cannot be read goes to dead-letter first."""
        readable = []
        for record in records:
            try:
                event = self._reader.read(record)
            except events.UndecodableError as error:
                _LOG.error("undecodable record", extra={"topic": record.topic, "offset": record.offset})
                metrics.EVENTS_DEAD.labels(self._service).inc()
                async with self._db.transaction() as transaction:
                    transaction.emit([parked.dead_letter(record, self._now(), error=str(error), attempts=1)])
                continue
            if event is not None:
                readable.append(event)
        return readable

    async def _together(self, batch: Sequence[events.Event]) -> None:
        """One transaction for all. A batch yields to the event loop between waves, so that calls stay quick."""
        async with self._db.transaction() as transaction:
            fresh, blocked = await self._claim(transaction, batch)
            for number, wave in enumerate(events.waves(fresh)):
                if number:
                    await asyncio.sleep(0)
                with tracing.causing({event.key: event.traceparent for event in wave}):
                    await events.dispatch(transaction, wave)
            if blocked:
                await parked.park(transaction, [event.record for event in blocked], error="behind a parked event")
        metrics.EVENTS_HANDLED.labels(self._service).inc(len(fresh))
        metrics.EVENTS_REPEATED.labels(self._service).inc(len(batch) - len(fresh) - len(blocked))
        metrics.BATCH_EVENTS.labels(self._service).observe(len(fresh))

    async def _claim(
        self, transaction: database.Transaction, batch: Sequence[events.Event]
    ) -> tuple[list[events.Event], list[events.Event]]:
        new, parked_keys = await inbox.claim(transaction, [event.id for event in batch], [event.key for event in batch])
        fresh = []
        for event in batch:
            if event.id in new:
                new.remove(event.id)
                fresh.append(event)
        return fresh, [event for event in batch if event.key in parked_keys]

    async def _apart(self, batch: Sequence[events.Event]) -> None:
        by_key: dict[str, list[events.Event]] = {}
        for event in batch:
            by_key.setdefault(event.key, []).append(event)
        for key, own in by_key.items():
            try:
                await self._together(own)
            except errors.TransientError:
                raise
            except Exception as error:
                _LOG.exception("event is parked", extra={"key": key, "event_id": own[0].id})
                metrics.EVENTS_PARKED.labels(self._service).inc(len(own))
                async with self._db.transaction() as transaction:
                    await parked.park(transaction, [event.record for event in own], error=repr(error))
