"""The rows of sign-ins that failed, by account and network."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.chassis import database
from services.user.domain.throttling import Failures, Whose

# Made or found, and locked either way, in the order of the keys: so two that meet wait instead of deadlocking.
_LOCK = database.Statement("""
INSERT INTO sign_in_failures AS f (key, failures, next_try_time, expire_time)
SELECT key, 0, %(now)s, %(now)s FROM unnest(%(keys)s::bytea[]) AS given (key)
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING f.key, f.failures, f.next_try_time, f.expire_time
""")
_WRITE = database.Statement("""
UPDATE sign_in_failures AS f
SET failures = g.failures, next_try_time = g.next_try_time, expire_time = g.expire_time
FROM unnest(%(key)s::bytea[], %(failures)s::integer[], %(next_try_time)s::timestamptz[], %(expire_time)s::timestamptz[])
  AS g (key, failures, next_try_time, expire_time)
WHERE f.key = g.key
""")
_TAKE_BACK = database.Statement("""
WITH held AS MATERIALIZED (SELECT key FROM sign_in_failures WHERE key = ANY(%(keys)s::bytea[]) ORDER BY key FOR UPDATE)
UPDATE sign_in_failures AS f SET failures = greatest(f.failures - 1, 0), next_try_time = %(now)s
FROM held WHERE f.key = held.key
""")
_DELETE_EMPTY = database.Statement("DELETE FROM sign_in_failures WHERE key = ANY(%(keys)s::bytea[]) AND failures = 0")
_DELETE = database.Statement("DELETE FROM sign_in_failures WHERE key = ANY(%(keys)s::bytea[])")


async def lock(transaction: database.Transaction, keys: Mapping[bytes, Whose], now: datetime) -> list[Failures]:
    """What is counted under these keys, which are in order; nobody else changes it until the transaction ends."""
    rows = await transaction.run(_LOCK, {"keys": list(keys), "now": now})
    return [Failures(keys[bytes(key)], bytes(key), *counted) for key, *counted in rows]


async def write(transaction: database.Transaction, counted: Sequence[Failures]) -> None:
    """Write what was locked."""
    names = ("key", "failures", "next_try_time", "expire_time")
    await transaction.run(_WRITE, database.columns(counted, *names))


async def take_back(transaction: database.Transaction, keys: Sequence[bytes], now: datetime) -> None:
    """Count one less under these keys. If that one has everybody wait now, nobody waits any more."""
    await transaction.run(_TAKE_BACK, {"keys": list(keys), "now": now})
    await transaction.run(_DELETE_EMPTY, {"keys": list(keys)})


async def forget(transaction: database.Transaction, keys: Sequence[bytes]) -> None:
    """Count nothing under these keys any more."""
    await transaction.run(_DELETE, {"keys": list(keys)})
