"""Redis as a service's own store: what is in it is nowhere else, so without it calls end with UNAVAILABLE, not empty.

    async with self._redis.commands() as redis:
        await redis.hset(self._redis.key("basket", user_id), mapping=lines)

`cache.py` is the other use of Redis: values that the database has too, which without Redis are only read more slowly.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis import exceptions
from redis.asyncio import Redis

from services.chassis import credentials, database, errors, redis_connection, tracing

# What goes away by itself: no connection, no answer in time, a replica in the middle of a failover, no memory for now.
_TRANSIENT = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.OutOfMemoryError,
    OSError,
)


class RedisStore:
    """The part of a Redis that is one service's: every key begins with the service's name.

    A command that was cut off may have happened: it is never repeated here, so repeat it only if it may happen twice.
    """

    def __init__(self, url: str | credentials.Credential, service: str, *, timeout_s: float) -> None:
        self._service = service
        self._login = redis_connection.Login(url)
        self._redis = self._login.client(timeout_s)

    async def start(self) -> None:
        """Nothing: it connects when it is first used, so that a service starts before its Redis does."""

    async def stop(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    def key(self, *parts: str) -> str:
        """The name under which something of this service is kept."""
        return ":".join((self._service, *parts))

    @asynccontextmanager
    async def commands(self) -> AsyncIterator[Redis]:
        """The client, for commands, pipelines and scripts. Raises TransientError when Redis does not answer in time."""
        database.require_no_transaction("Redis")
        try:
            with tracing.span("redis"):
                yield self._redis
        except _TRANSIENT as error:
            self._login.note(error)
            raise errors.TransientError(f"redis: {error}") from error
