"""What a consumer knows about events: how a record is read, and the table of who handles what.

A service's `events.py` is such a table, written out: message type to how it is parsed and which use case takes a list of it.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from services.chassis import database, ids, kafka, tracing

# Takes what was parsed from new events, in order, at most one per key; saves and emits in the transaction.
Handle = Callable[[database.Transaction, Sequence[Any]], Awaitable[None]]
# Takes what was parsed from events, in order: new ones, and ones that it was given before.
Prepare = Callable[[Sequence[Any]], Awaitable[None]]


async def nothing(transaction: database.Transaction, values: Sequence[Any]) -> None:
    """The handler of events that only `prepare` has something to do with."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who handles one type of message: `parse` makes a domain value of it (raising ValueError if it cannot).

    `handle` works in the batch's transaction, which must not wait for anything but the database. What calls something else,
    a cache for one, is `prepare`: it runs before the transaction begins, and must be idempotent. An event is in the inbox
    only after it: if the process dies before that, the event comes again, and so does its preparation.
    """

    parse: Callable[[Any], Any]
    handle: Handle = nothing
    prepare: Prepare | None = None


Subscribers = Mapping[type[Message], Subscriber]


# A longer key is stored as its beginning and its hash, in bytes: a row of a B-tree index holds at most 2704.
MOST_KEY_BYTES = 512


class UndecodableError(Exception):
    """A record that this release cannot read. It goes to dead-letter at once."""


@dataclass(frozen=True, slots=True)
class Event:
    """A record that this service consumes: its identity, its domain value and who handles it."""

    id: str
    key: str
    value: Any
    handle: Handle
    record: kafka.Record
    prepare: Prepare | None = None

    @property
    def traceparent(self) -> str:
        """The trace it carries; empty when it is in none."""
        return self.record.headers.get(tracing.HEADER, "")


class Reader:
    """Reads records with a table of subscribers."""

    def __init__(self, subscribers: Subscribers) -> None:
        self._by_name = {kind.DESCRIPTOR.full_name: (kind, subscriber) for kind, subscriber in subscribers.items()}

    def read(self, record: kafka.Record) -> Event | None:
        """The event in a record; None for a type this service does not know.

        Raises UndecodableError whatever went wrong: a record from outside must never stop the topic behind it.
        """
        try:
            event_id = ids.canonical(record.headers["ce_id"])
            kind = record.headers["ce_type"]
            if kind not in self._by_name:
                return None
            message, subscriber = self._by_name[kind]
            value = subscriber.parse(message.FromString(record.value))
        except Exception as error:
            raise UndecodableError(f"{type(error).__name__}: {error}") from error
        return Event(event_id, stored_key(record.key), value, subscriber.handle, record, subscriber.prepare)


def stored_key(key: str) -> str:
    """The key as tables hold it: equal keys stay equal, and every one fits an index."""
    safe = database.storable(key)
    if len(safe.encode()) <= MOST_KEY_BYTES:
        return safe
    return f"{safe[:64]}...sha256:{hashlib.sha256(safe.encode()).hexdigest()}"


def identity_of(event_id: str, record: kafka.Record) -> dict[str, str]:
    """What log lines about one event carry: its id, its topic, its key (the order's id on most topics) and its trace."""
    traceparent = record.headers.get(tracing.HEADER, "")
    shown = {"event_id": event_id, "topic": record.topic, "key": stored_key(record.key)}
    return shown | ({"trace_id": parts[1]} if len(parts := traceparent.split("-")) == 4 else {})


def batch_of(batch: Sequence[Event]) -> dict[str, str]:
    """What log lines about a batch carry: the identity of its only event, else of its first one, and how many there are."""
    if not batch:
        return {}
    first = identity_of(batch[0].id, batch[0].record)
    return first | ({"batch_events": str(len(batch))} if len(batch) > 1 else {})


def waves(events: Sequence[Event]) -> list[list[Event]]:
    """The events cut so that wave n holds the n-th event of each key: order per key, many keys at a time."""
    seen: dict[str, int] = {}
    result: list[list[Event]] = []
    for event in events:
        depth = seen.get(event.key, 0)
        seen[event.key] = depth + 1
        if depth == len(result):
            result.append([])
        result[depth].append(event)
    return result


async def prepare(batch: Sequence[Event]) -> None:
    """Do what these events ask for outside the transaction that handles them, each preparation once, with a list."""
    by_preparation: dict[Prepare, list[Any]] = {}
    for event in batch:
        if event.prepare:
            by_preparation.setdefault(event.prepare, []).append(event.value)
    for run, values in by_preparation.items():
        await run(values)


async def dispatch(transaction: database.Transaction, wave: Sequence[Event]) -> None:
    """Hand the events of one wave to their handlers, each handler once, with a list."""
    by_handler: dict[Handle, list[Any]] = {}
    for event in wave:
        by_handler.setdefault(event.handle, []).append(event.value)
    for handle, values in by_handler.items():
        await handle(transaction, values)
