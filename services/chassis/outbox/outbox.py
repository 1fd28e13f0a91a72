"""The outbox: events are rows of the transaction that made them true, and a relay brings them to Kafka later.

`Publications` is the table that a service's `events.py` writes out: which domain event becomes which message, on which
topic, under which key. A row is inserted after the change it tells of, hence after that aggregate's row lock: the order
of ids within one key is the order of commits.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from psycopg.types.json import Jsonb

from services.chassis import clock, database, ids, kafka, schema, tracing

SHARDS = 16
DEAD_LETTER = "dead-letter"
# So many events of one transaction are rendered before others have their turn: an import may have thousands.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the outbox: one record for Kafka. headers go beside the CloudEvents ones."""

    event_id: str
    topic: str
    key: str
    type: str
    sequence: int
    time: datetime
    payload: bytes
    traceparent: str = ""
    headers: Jsonb | None = None

    @property
    def shard(self) -> int:
        """Which relay it belongs to: a stable hash, so that one key stays with one relay whatever process wrote it."""
        return zlib.crc32(self.key.encode()) % SHARDS


@dataclass(frozen=True, slots=True)
class Publication:
    """How one kind of domain event is published. render makes its message; key and sequence read the event."""

    topic: str
    key: Callable[[Any], str]
    render: Callable[[Any], Message]
    sequence: Callable[[Any], int] = lambda _: 0

    def entry(self, event: object, event_id: str, time: datetime, *, origin: tracing.Origin) -> Entry:
        """An event of this kind, which happened at that time and comes from there, as what is published."""
        message, key = self.render(event), self.key(event)
        return Entry(
            event_id=event_id,
            topic=self.topic,
            key=key,
            type=message.DESCRIPTOR.full_name,
            sequence=self.sequence(event),
            time=time,
            payload=message.SerializeToString(),
            traceparent=origin.traceparent(key),
        )


Publications = Mapping[type, Publication]


def record(entry: Entry, service: str) -> kafka.Record:
    """The entry as the record that this service publishes: a CloudEvent in binary mode."""
    return cloud_event(entry, service, entry.headers.obj if entry.headers else {})


def cloud_event(entry: Entry, service: str, headers: Mapping[str, str]) -> kafka.Record:
    """The same, with these headers beside those of CloudEvents; the entry's own are not looked at."""
    cloud = {
        # First, because readers pass over the types that they do not handle.
        "ce_type": entry.type,
        "ce_specversion": "1.0",
        "ce_id": entry.event_id,
        "ce_source": f"/souk/{service}",
        "ce_time": entry.time.isoformat(),
        "ce_subject": entry.key,
        "ce_sequence": str(entry.sequence),
        "content-type": "application/protobuf",
    }
    if entry.traceparent:
        cloud["traceparent"] = entry.traceparent
    return kafka.Record(entry.topic, entry.key, entry.payload, {**cloud, **headers})


_COLUMNS = ("event_id", "shard", "topic", "key", "type", "sequence", "time", "traceparent", "headers", "payload")
INSERT = database.Statement(database.insert_given(schema.OUTBOX, *_COLUMNS))


class Outbox:
    """Writes the events of transactions, as the service's publications say, and wakes the relay of this process."""

    def __init__(self, publications: Publications, now: clock.Clock, wake: Callable[[], None]) -> None:
        self._publications = publications
        self._now = now
        self._wake = wake

    async def write(self, transaction: database.Transaction, events: Sequence[object]) -> None:
        """Insert a row per event, in their order. Raises KeyError for an event that no publication names."""
        now = self._now()
        told = list(zip(events, transaction.origins, strict=True))
        for first in range(0, len(told), AT_ONCE):
            entries = [
                event if isinstance(event, Entry) else self._entry(event, now, origin)
                for event, origin in told[first : first + AT_ONCE]
            ]
            await transaction.run(INSERT, database.columns(entries, *_COLUMNS))
        transaction.after_commit(self._wake)

    def _entry(self, event: object, now: datetime, origin: tracing.Origin) -> Entry:
        return self._publications[type(event)].entry(event, ids.new_id(now), now, origin=origin)
