"""Retention: what the machinery keeps is purged by age, a little at a time, and its depth and age are measured."""

from datetime import timedelta

from services.chassis import clock, database, ids, metrics, page_keys

# The inbox outlives the topics' retention (7 days) and the time an operator needs to replay a dead letter.
INBOX_KEPT = timedelta(days=14)
REQUESTS_KEPT = timedelta(days=7)
_ROWS_AT_ONCE = 5000

_PURGE_INBOX = database.Statement("""
DELETE FROM inbox WHERE event_id IN (
  SELECT event_id FROM inbox WHERE event_id < %(before)s::uuid ORDER BY event_id LIMIT %(most)s)
RETURNING 1
""")
_PURGE_REQUESTS = database.Statement("""
DELETE FROM idempotent_requests WHERE ctid IN (
  SELECT ctid FROM idempotent_requests WHERE time < %(before)s LIMIT %(most)s)
RETURNING 1
""")
_PURGE_LEASES = database.Statement("""
DELETE FROM leases WHERE name LIKE '%%:member:%%' AND expires_at < statement_timestamp() - interval '1 hour' RETURNING 1
""")
QUEUES = database.Statement("""
SELECT 'outbox', count(*), extract(epoch FROM clock_timestamp() - min(time)) FROM outbox WHERE shard >= 0
UNION ALL
SELECT 'outbox_refused', count(*), extract(epoch FROM clock_timestamp() - min(time)) FROM outbox WHERE shard < 0
UNION ALL
SELECT 'parked', count(*), extract(epoch FROM clock_timestamp() - min(parked_at)) FROM parked_events WHERE dead = 0
UNION ALL
SELECT 'dead', count(*), extract(epoch FROM clock_timestamp() - min(parked_at)) FROM parked_events WHERE dead = 1
""")


class Retention:
    """Purges the machinery's tables of one service. `work` is the body of a loop."""

    def __init__(self, db: database.Database, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def work(self) -> int:
        """Delete up to some thousand rows that are too old: how many. Raises TransientError."""
        inbox_before = ids.floor(self._now() - INBOX_KEPT)
        requests_before = self._now() - REQUESTS_KEPT
        rows = await self._db.read(_PURGE_INBOX, {"before": inbox_before, "most": _ROWS_AT_ONCE})
        rows += await self._db.read(_PURGE_REQUESTS, {"before": requests_before, "most": _ROWS_AT_ONCE})
        rows += await self._db.read(_PURGE_LEASES)
        return len(rows) + await page_keys.rotate(self._db)


class Gauges:
    """Measures queues of one service: rows of (queue, depth, age in seconds). `work` is the body of a loop."""

    def __init__(self, db: database.Database, service: str, queues: database.Statement = QUEUES) -> None:
        self._db = db
        self._service = service
        self._queues = queues

    async def work(self) -> int:
        """Set depth and age of every queue; 0, as there is never more to do at once. Raises TransientError."""
        for queue, depth, age in await self._db.read(self._queues):
            metrics.QUEUE_DEPTH.labels(self._service, queue).set(depth)
            metrics.QUEUE_AGE.labels(self._service, queue).set(float(age or 0))
        return 0
