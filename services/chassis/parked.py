"""Parked events: a key whose event could not be handled waits here, with everything of that key behind it, in order.

The first event of a key is tried again with growing pauses; after the last try it is published to `dead-letter` and the
key stays parked until an operator replays or discards it (`python -m services parked ...`), which leaves a record of who did.
A parked event is not in the inbox: it counts as handled only when it was.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from services.chassis import clock, database, errors, events, ids, inbox, kafka, metrics, outbox, schema, tracing

_LOG = logging.getLogger(__name__)

# Tries before an event is dead, and seconds before the second of them; the pause doubles each time up to the last.
MOST_ATTEMPTS = 8
FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 300.0
_KEYS_AT_ONCE = 20

_PARK = database.Statement(
    database.insert_given(
        schema.PARKED, "event_id", "key", "topic", "partition", "offset", "type", "headers", "payload", "error"
    ).on_conflict_do_nothing(index_elements=["event_id"])
)
# The head of each key that is due; the attempt is counted at the claim, so that an event that kills us counts too.
_CLAIM_HEADS = database.Statement("""
UPDATE parked_events SET attempts = attempts + 1, next_try_at = clock_timestamp()
  + make_interval(secs => least(%(first)s * 2 ^ attempts, %(most)s))
WHERE position IN (
  SELECT position FROM parked_events AS p
  WHERE dead = 0 AND next_try_at <= statement_timestamp()
    AND NOT EXISTS (SELECT 1 FROM parked_events AS earlier WHERE earlier.key = p.key AND earlier.position < p.position)
  ORDER BY position LIMIT %(keys)s FOR UPDATE SKIP LOCKED)
RETURNING position, event_id, attempts, topic, key, partition, "offset", headers, payload
""")
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
_ACTION = database.Statement("""
INSERT INTO parked_actions (event_id, action, actor) VALUES (%(event_id)s, %(action)s, %(actor)s)
""")


async def park(transaction: database.Transaction, records: Sequence[kafka.Record], *, error: str) -> None:
    """Set these records aside, in their order. Ones that are parked already stay as they are."""
    rows = {
        "event_id": [str(uuid.UUID(record.headers["ce_id"])) for record in records],
        "type": [record.headers["ce_type"] for record in records],
        "headers": [Jsonb(dict(record.headers)) for record in records],
        "payload": [record.value for record in records],
        "error": [error] * len(records),
    }
    await transaction.run(_PARK, rows | database.columns(records, "key", "topic", "partition", "offset"))


def dead_letter(record: kafka.Record, now: datetime, *, error: str, attempts: int) -> outbox.Letter:
    """The record as it goes to dead-letter: its bytes and headers, where it came from, what went wrong, how often."""
    event_id = ids.new_id(now)
    origin = {f"origin_{name}": text for name, text in record.headers.items()}
    origin |= {
        "origin_topic": record.topic,
        "origin_partition": str(record.partition),
        "origin_offset": str(record.offset),
        "origin_key": record.key,
        "attempts": str(attempts),
        "error": error[:2000],
    }
    parent = record.headers.get("traceparent", "")
    kind = record.headers.get("ce_type", "unknown")
    return outbox.Letter(
        event_id, outbox.DEAD_LETTER, event_id, kind, 0, now, record.value, parent, headers=Jsonb(origin)
    )


class Retrier:
    """Tries parked keys again when they are due. `work` is the body of a loop."""

    def __init__(self, db: database.Database, reader: events.Reader, *, service: str, now: clock.Clock) -> None:
        self._db = db
        self._reader = reader
        self._service = service
        self._now = now

    async def work(self) -> int:
        """Try the head of every due key: how many there were. Raises TransientError."""
        claim = {"first": FIRST_PAUSE_S, "most": MOST_PAUSE_S, "keys": _KEYS_AT_ONCE}
        heads = await self._db.read(_CLAIM_HEADS, claim)
        for position, event_id, attempts, topic, key, partition, offset, headers, payload in heads:
            record = kafka.Record(topic, key, payload, headers, partition, offset)
            try:
                await self._handle(position, event_id, record)
            except errors.TransientError:
                raise
            except Exception as error:
                _LOG.exception("parked event failed again", extra={"event_id": event_id, "attempts": attempts})
                await self._failed(position, record, error=repr(error), attempts=attempts)
        return len(heads)

    async def _handle(self, position: int, event_id: str, record: kafka.Record) -> None:
        """Handle the event as if it had just come, and forget that it was parked, in one transaction."""
        event = self._reader.read(record)
        async with self._db.transaction() as transaction:
            if not await transaction.run(_REMOVE, {"position": position}):
                return
            # The key may have more events parked, which would keep this one from being claimed: claim it by a key of its own.
            fresh, _ = await inbox.claim(transaction, [event_id], [f"replay of {event_id}"])
            if event is not None and fresh:
                with tracing.causing({event.key: event.traceparent}):
                    await events.dispatch(transaction, [event])
            await transaction.run(_NEXT_NOW, {"key": record.key})

    async def _failed(self, position: int, record: kafka.Record, *, error: str, attempts: int) -> None:
        dead = attempts >= MOST_ATTEMPTS
        async with self._db.transaction() as transaction:
            await transaction.run(_FAILED, {"position": position, "error": error, "dead": int(dead)})
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
            await transaction.run(_ACTION, {"event_id": event_id, "action": action, "actor": actor})
            await transaction.run(_NEXT_NOW, {"key": rows[0][0]})
    return bool(rows)
