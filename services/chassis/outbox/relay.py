"""The relay: brings the outbox to Kafka, in order per key, at least once.

It owns whole shards by lease, reads their rows by id, publishes them, waits for the acknowledgements and deletes what
the brokers have. A process that dies in between leaves the rows: the next owner publishes them again, and the consumers'
inboxes drop the repetition. Paging by `id > last` instead would lose rows that commit late; several unsharded relays
would invert the order within a key.

A record that the brokers refuse for good (too large, invalid) is set aside with everything of its key behind it: such rows
stay in the outbox with a negative shard (-1 - shard), which no relay owns. The queue `outbox_refused`, an alarm and the
header `refused` tell of them; an operator sends them again in their order, or discards them (`refused.py`).
"""

import logging
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, SmallInteger

from services.chassis import database, errors, kafka, metrics, schema
from services.chassis.outbox import leases, outbox

_O = schema.OUTBOX.c
_PENDING = database.Statement(
    select(_O.id, _O.event_id, _O.topic, _O.key, _O.type, _O.sequence, _O.time, _O.traceparent, _O.headers, _O.payload)
    .where(_O.shard == bindparam("shards", type_=ARRAY(SmallInteger)).any_())
    .order_by(_O.id)
    .limit(bindparam("most", type_=BigInteger))
)
# The join with the lease fences, by its epoch: an owner that was replaced deletes nothing, also one that came back since.
_FENCE = """
  leases AS l JOIN unnest(%(names)s::text[], %(epochs)s::bigint[]) AS held(name, epoch) USING (name, epoch)
WHERE o.id = given.id AND l.name = %(kind)s || ':' || o.shard AND l.owner = %(owner)s
"""
_DELETE = database.Statement(
    "DELETE FROM outbox AS o USING unnest(%(ids)s::bigint[]) AS given(id), " + _FENCE  # noqa: S608 - a constant of this module
)
_SET_ASIDE = database.Statement(
    """
UPDATE outbox AS o SET shard = -1 - o.shard,
  headers = coalesce(o.headers, '{}'::jsonb) || jsonb_build_object('refused', %(reason)s::text)
FROM unnest(%(ids)s::bigint[]) AS given(id),
"""
    + _FENCE
)
_ASIDE = database.Statement("SELECT DISTINCT topic, key FROM outbox WHERE shard < 0")

KIND = "outbox"
_LOG = logging.getLogger(__name__)
# How much of a refusal is kept with the row.
_REASON = 500


class Relay:
    """Publishes the outbox of one service. `work` is the body of a loop."""

    def __init__(
        self, db: database.Database, producer: kafka.Producer, *, service: str, owner: str, batch: int
    ) -> None:
        self._db = db
        self._producer = producer
        self._service = service
        self._owner = owner
        self._batch = batch
        self._shards = leases.Shards(db, KIND, count=outbox.SHARDS, owner=owner)
        self._renew_at = 0.0
        self._joined = False
        # Topics and keys of which something was set aside: what follows waits behind it.
        self._aside: set[tuple[str, str]] = set()

    @property
    def alone(self) -> bool:
        """Whether no other process publishes this outbox."""
        return self._shards.alone

    async def work(self) -> int:
        """Publish what is pending: how many rows were. Raises TransientError when the database or Kafka is unavailable."""
        await self._own()
        if not self._shards.held:
            return 0
        rows = await self._db.read(_PENDING, {"shards": list(self._shards.held), "most": self._batch})
        behind = [row for row in rows if (row[2], row[3]) in self._aside]
        if behind:
            return await self._put_behind(behind)
        if not rows:
            return 0
        acked = await self._producer.publish([self._record(row) for row in rows])
        refused = [rows[number] for number in self._producer.refusals]
        done = _until_first_failure(rows, acked)
        await self._db.read(_DELETE, {"ids": [row[0] for row in done], **self._fence()})
        metrics.RELAYED.labels(self._service).inc(len(done))
        if refused:
            await self._refused(refused)
        elif len(done) < len(rows):
            raise errors.TransientError(f"kafka did not acknowledge {len(rows) - len(done)} records")
        return len(rows)

    async def _put_behind(self, rows: Sequence[database.Row]) -> int:
        """Set aside what waits behind a refused record, unless an operator sent that again: then both are read anew."""
        await self._read_aside()
        still = [row for row in rows if (row[2], row[3]) in self._aside]
        if still:
            await self._set_aside(still, "behind a record that was refused")
        return len(rows)

    async def _read_aside(self) -> None:
        self._aside = {(topic, key) for topic, key in await self._db.read(_ASIDE)}

    async def _refused(self, rows: Sequence[database.Row]) -> None:
        """Set aside what the brokers refuse also when it is sent alone: one bad record spoils others of its batch."""
        for row in rows:
            if (row[2], row[3]) in self._aside:
                continue
            await self._producer.publish([self._record(row)])
            if reason := self._producer.refusals.get(0):
                await self._set_aside([row], reason)

    async def _set_aside(self, rows: Sequence[database.Row], reason: str) -> None:
        given = {"ids": [row[0] for row in rows], "reason": database.storable(reason)[:_REASON]}
        await self._db.read(_SET_ASIDE, given | self._fence())
        self._aside |= {(row[2], row[3]) for row in rows}
        metrics.ALARMS.labels(self._service, "outbox_refused").inc(len(rows))
        for row in rows:
            shown = {"event_id": row[1], "topic": row[2], "key": row[3], "type": row[4], "reason": reason}
            _LOG.error("an event cannot be published and is set aside", extra=shown)

    def _fence(self) -> dict[str, Any]:
        held = self._shards.held
        names = [f"{KIND}:{shard}" for shard in held]
        return {"names": names, "epochs": list(held.values()), "kind": KIND, "owner": self._owner}

    async def leave(self) -> None:
        """Give the shards to whoever is left. Raises TransientError."""
        await self._shards.leave()

    async def _own(self) -> None:
        if not self._joined:
            await self._shards.join()
            self._joined = True
        if time.monotonic() >= self._renew_at:
            await self._shards.renew()
            await self._read_aside()
            self._renew_at = time.monotonic() + self._shards.lease_s / 3

    def _record(self, row: database.Row) -> kafka.Record:
        _, event_id, topic, key, kind, sequence, moment, traceparent, headers, payload = row
        entry = outbox.Entry(event_id, topic, key, kind, sequence, moment, payload, traceparent)
        return outbox.cloud_event(entry, self._service, headers or {})


def _until_first_failure(rows: Sequence[database.Row], acked: Sequence[bool]) -> list[database.Row]:
    """The rows the brokers have, without those behind a failed one of their key: all of these are sent again."""
    failed: set[str] = set()
    done = []
    for row, ok in zip(rows, acked, strict=True):
        key = row[3]
        if ok and key not in failed:
            done.append(row)
        else:
            failed.add(key)
    return done
