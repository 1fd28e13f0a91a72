"""What people keep, in Redis: a hash for each person. It becomes domain values here and nowhere else."""

from typing import Any

from services.cart import domain
from services.chassis import redis_store


async def entry_of(redis: redis_store.RedisStore, user_id: str) -> domain.Entry | None:
    """What somebody keeps. Raises TransientError when Redis is away."""
    async with redis.commands() as commands:
        found: dict[Any, Any] = await commands.hgetall(_key(redis, user_id))
    return domain.Entry(user_id, found[b"text"].decode(), int(found[b"version"])) if found else None


async def save(redis: redis_store.RedisStore, user_id: str, text: str) -> domain.Entry:
    """Keep this instead. Raises TransientError when Redis is away: it may have been kept all the same."""
    key = _key(redis, user_id)
    async with redis.commands() as commands, commands.pipeline(transaction=True) as both:
        both.hset(key, "text", text)
        both.hincrby(key, "version", 1)
        _, version = await both.execute()
    return domain.Entry(user_id, text, version)


def _key(redis: redis_store.RedisStore, user_id: str) -> str:
    return redis.key("entry", user_id)
