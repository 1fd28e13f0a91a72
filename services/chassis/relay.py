"""The relay: brings the outbox to Kafka, in order per key, at least once.

It owns whole shards by lease, reads their rows by id, publishes them, waits for the acknowledgements and deletes what
the brokers have. A process that dies in between leaves the rows: the next owner publishes them again, and the consumers'
inboxes drop the repetition. Paging by `id > last` instead would lose rows that commit late; several unsharded relays
would invert the order within a key.
"""

import time
from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, SmallInteger

from services.chassis import database, errors, kafka, leases, metrics, outbox, schema

_O = schema.OUTBOX.c
_PENDING = database.Statement(
    select(_O.id, _O.event_id, _O.topic, _O.key, _O.type, _O.sequence, _O.time, _O.traceparent, _O.headers, _O.payload)
    .where(_O.shard == bindparam("shards", type_=ARRAY(SmallInteger)).any_())
    .order_by(_O.id)
    .limit(bindparam("most", type_=BigInteger))
)
# The join with the lease fences: an owner that was replaced deletes nothing.
_DELETE = database.Statement("""
DELETE FROM outbox AS o USING unnest(%(ids)s::bigint[]) AS acked(id), leases AS l
WHERE o.id = acked.id AND l.name = %(kind)s || ':' || o.shard AND l.owner = %(owner)s
""")

KIND = "outbox"


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

    async def work(self) -> int:
        """Publish what is pending: how many rows were. Raises TransientError when the database or Kafka is away."""
        await self._own()
        if not self._shards.held:
            return 0
        rows = await self._db.read(_PENDING, {"shards": list(self._shards.held), "most": self._batch})
        if not rows:
            return 0
        acked = await self._producer.publish([self._record(row) for row in rows])
        done = _until_first_failure(rows, acked)
        await self._db.read(_DELETE, {"ids": [row[0] for row in done], "kind": KIND, "owner": self._owner})
        metrics.RELAYED.labels(self._service).inc(len(done))
        if len(done) < len(rows):
            raise errors.TransientError(f"kafka did not acknowledge {len(rows) - len(done)} records")
        return len(rows)

    async def leave(self) -> None:
        """Give the shards to whoever is left. Raises TransientError."""
        await self._shards.leave()

    async def _own(self) -> None:
        if not self._joined:
            await self._shards.join()
            self._joined = True
        if time.monotonic() >= self._renew_at:
            await self._shards.renew()
            self._renew_at = time.monotonic() + self._shards.lease_s / 3

    def _record(self, row: database.Row) -> kafka.Record:
        _, event_id, topic, key, kind, sequence, moment, traceparent, headers, payload = row
        cloud = {
            "ce_specversion": "1.0",
            "ce_id": event_id,
            "ce_type": kind,
            "ce_source": f"/souk/{self._service}",
            "ce_time": moment.isoformat(),
            "ce_subject": key,
            "ce_sequence": str(sequence),
            "content-type": "application/protobuf",
        }
        if traceparent:
            cloud["traceparent"] = traceparent
        return kafka.Record(topic, key, payload, cloud | (headers or {}))


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
