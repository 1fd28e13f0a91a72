"""Parked events: a key whose event could not be handled waits here, with everything of that key behind it, in order.

The first event of a key is tried again with growing pauses; after the last try it is published to `dead-letter` and the
key stays parked until an operator replays or discards it (`python -m services parked ...`), which leaves a record of who did.
A parked event is not in the inbox: it counts as handled only when it was.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from services.chassis import clock, database, errors, ids, kafka, logs, metrics, operators, schema, tracing
from services.chassis.events import inbox, reader
from services.chassis.outbox import outbox

_LOG = logging.getLogger(__name__)

# Tries before an event is dead, and seconds before the second of them; the pause doubles each time up to the last.
MOST_ATTEMPTS = 8
FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 300.0
_KEYS_AT_ONCE = 20

# The size of a dead letter in bytes: far below what a broker takes by default (1 MiB), whatever the record was.
MOST_PAYLOAD = 768 * 1024
MOST_HEADER = 2000
MOST_HEADERS = 40
_NAMESPACE = "6f1c1f0e-9f0b-5b6e-8a54-2f4d8d4d6c11"

_PARK = database.Statement(
    database.insert_given(
        schema.PARKED, "event_id", "key", "topic", "partition", "offset", "type", "headers", "payload", "error"
    ).on_conflict_do_nothing(index_elements=["event_id"])
)
_DUE_HEADS = database.Statement("""
SELECT position FROM parked_events AS p
WHERE dead = 0 AND next_try_at <= statement_timestamp()
  AND NOT EXISTS (SELECT 1 FROM parked_events AS earlier WHERE earlier.key = p.key AND earlier.position < p.position)
ORDER BY position LIMIT %(keys)s
""")
# One at a time, right before it is handled, and with the attempt counted: an event that kills the process counts too, and
# only that one. Of two claimants the second finds it not due any more.
_CLAIM_HEAD = database.Statement("""
UPDATE parked_events SET attempts = attempts + 1, next_try_at = clock_timestamp()
  + make_interval(secs => least(%(first)s * 2 ^ attempts, %(most)s))
WHERE position = %(position)s AND dead = 0 AND next_try_at <= statement_timestamp()
RETURNING position, event_id, attempts, topic, key, partition, "offset", headers, payload
""")
# An outage is no attempt.
_GIVE_ATTEMPT_BACK = database.Statement(
    "UPDATE parked_events SET attempts = attempts - 1 WHERE position = %(position)s AND attempts > 0"
)
_REMOVE = database.Statement("DELETE FROM parked_events WHERE position = %(position)s RETURNING position")
_NEXT_NOW = database.Statement(
    "UPDATE parked_events SET next_try_at = clock_timestamp() WHERE key = %(key)s AND dead = 0"
)
_FAILED = database.Statement(
    "UPDATE parked_events SET error = %(error)s, dead = %(dead)s WHERE position = %(position)s"
)
_LIST = database.Statement("""
SELECT event_id, key, type, attempts, dead, parked_at, error FROM parked_events ORDER BY position LIMIT 1000
""")
_REPLAY = database.Statement("""
UPDATE parked_events SET dead = 0, attempts = 0, next_try_at = clock_timestamp() WHERE event_id = %(event_id)s RETURNING key
""")
_DISCARD = database.Statement("DELETE FROM parked_events WHERE event_id = %(event_id)s RETURNING key")


async def park(transaction: database.Transaction, records: Sequence[kafka.Record], *, error: str) -> None:
    """Set these records aside, in their order. Ones that are parked already stay as they are."""
    rows = {
        "event_id": [ids.canonical(record.headers["ce_id"]) for record in records],
        "type": [record.headers["ce_type"] for record in records],
        "headers": [Jsonb(_storable(record.headers)) for record in records],
        "payload": [record.value for record in records],
        "error": [database.storable(error)] * len(records),
        "key": [reader.stored_key(record.key) for record in records],
    }
    await transaction.run(_PARK, rows | database.columns(records, "topic", "partition", "offset"))


def dead_letter_id(record: kafka.Record) -> str:
    """The id of a record's dead letter: made of where the record lies, so that it is the same at every repetition."""
    return ids.named(_NAMESPACE, f"{record.topic}/{record.partition}/{record.offset}")


def dead_letter(record: kafka.Record, now: datetime, *, error: str, attempts: int) -> outbox.Entry:
    """The record as it goes to dead-letter: its bytes and headers, where it came from, what went wrong, how often.

    What does not fit is cut off, and the header `truncated_from` says how many bytes the payload had.
    """
    event_id = dead_letter_id(record)
    kept = dict(list(record.headers.items())[:MOST_HEADERS])
    origin = {f"origin_{name[:100]}": text for name, text in kept.items()}
    origin |= {
        "origin_topic": record.topic,
        "origin_partition": str(record.partition),
        "origin_offset": str(record.offset),
        "origin_key": record.key,
        "attempts": str(attempts),
        "error": error,
    }
    if len(record.value) > MOST_PAYLOAD:
        origin["truncated_from"] = str(len(record.value))
    parent = database.storable(record.headers.get("traceparent", ""))[:100]
    kind = database.storable(record.headers.get("ce_type", "unknown"))[:200]
    return outbox.Entry(
        event_id=event_id,
        topic=outbox.DEAD_LETTER,
        key=event_id,
        type=kind,
        sequence=0,
        time=now,
        payload=record.value[:MOST_PAYLOAD],
        traceparent=parent,
        headers=Jsonb({name: text[:MOST_HEADER] for name, text in _storable(origin).items()}),
    )


def _storable(headers: Mapping[str, str]) -> dict[str, str]:
    return {database.storable(name): database.storable(text) for name, text in headers.items()}


def _record(columns: Sequence[Any]) -> kafka.Record:
    topic, key, partition, offset, headers, payload = columns
    return kafka.Record(topic, key, payload, headers, partition, offset)


class Retrier:
    """Tries parked keys again when they are due. `work` is the body of a loop."""

    def __init__(self, db: database.Database, table: reader.Reader, *, service: str, now: clock.Clock) -> None:
        self._db = db
        self._table = table
        self._service = service
        self._now = now

    async def work(self) -> int:
        """Try the head of every due key: how many there were. Raises TransientError."""
        due = await self._db.read(_DUE_HEADS, {"keys": _KEYS_AT_ONCE})
        for (position,) in due:
            claim = {"first": FIRST_PAUSE_S, "most": MOST_PAUSE_S, "position": position}
            for _, event_id, attempts, *columns in await self._db.read(_CLAIM_HEAD, claim):
                record = _record(columns)
                with logs.carrying(reader.identity_of(event_id, record)):
                    await self._try(position, event_id, record, attempts=attempts)
        return len(due)

    async def _try(self, position: int, event_id: str, record: kafka.Record, *, attempts: int) -> None:
        if attempts > MOST_ATTEMPTS:
            # The process ended during the last attempt, or it could not say how that ended: no attempt is left.
            await self._failed(position, record, error="the process ended while handling it", attempts=attempts - 1)
            return
        try:
            await self._handle(position, event_id, record)
        except errors.TransientError:
            await self._db.read(_GIVE_ATTEMPT_BACK, {"position": position})
            raise
        except Exception as error:
            _LOG.exception("parked event failed again", extra={"event_id": event_id, "attempts": attempts})
            await self._failed(position, record, error=repr(error), attempts=attempts)

    async def _handle(self, position: int, event_id: str, record: kafka.Record) -> None:
        """Handle the event as if it had just come, and forget that it was parked, in one transaction."""
        event = self._table.read(record)
        if event is not None:
            await reader.prepare([event])
        async with self._db.transaction() as transaction:
            if not await transaction.run(_REMOVE, {"position": position}):
                return
            # The key may have more events parked, which would keep this one from being claimed: claim it by a key of its own.
            fresh, _ = await inbox.claim(transaction, [event_id], [f"replay of {event_id}"])
            if event is not None and fresh:
                with tracing.causing({event.key: event.traceparent}):
                    await reader.dispatch(transaction, [event])
            await transaction.run(_NEXT_NOW, {"key": record.key})

    async def _failed(self, position: int, record: kafka.Record, *, error: str, attempts: int) -> None:
        dead = attempts >= MOST_ATTEMPTS
        async with self._db.transaction() as transaction:
            await transaction.run(_FAILED, {"position": position, "error": database.storable(error), "dead": int(dead)})
            if dead:
                metrics.EVENTS_DEAD.labels(self._service).inc()
                transaction.emit([dead_letter(record, self._now(), error=error, attempts=attempts)])


async def listed(db: database.Database) -> list[database.Row]:
    """The parked events, oldest first: id, key, type, attempts, dead, since when, last error."""
    return await db.read(_LIST)


async def replay(db: database.Database, event_id: str, *, actor: str) -> bool:
    """Let a parked or dead event be tried again at once, with a record of who said so. False when it is not there."""
    return await _act(db, _REPLAY, event_id, actor=actor)


async def discard(db: database.Database, event_id: str, *, actor: str) -> bool:
    """Give a parked event up for good, with a record of who said so; its key goes on. False when it is not there."""
    return await _act(db, _DISCARD, event_id, actor=actor)


async def _act(db: database.Database, statement: database.Statement, event_id: str, *, actor: str) -> bool:
    action = "replay" if statement is _REPLAY else "discard"
    async with db.transaction() as transaction:
        rows = await transaction.run(statement, {"event_id": event_id})
        if rows:
            await operators.note(transaction, [event_id], action=action, actor=actor)
            await transaction.run(_NEXT_NOW, {"key": rows[0][0]})
    return bool(rows)
