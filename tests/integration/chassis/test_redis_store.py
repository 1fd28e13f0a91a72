"""Redis as a store of its own: keys of one service, errors that callers can act on."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.exceptions import ResponseError

from services.chassis import errors, redis_store
from tests.support import ports, postgres

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"


@pytest_asyncio.fixture
async def store(redis_url: str) -> AsyncIterator[redis_store.RedisStore]:
    made = redis_store.RedisStore(redis_url, f"test-{uuid.uuid4().hex[:8]}", timeout_s=5.0)
    await made.start()
    yield made
    await made.stop()


async def test_what_is_written_is_there_under_the_services_own_name(store: redis_store.RedisStore) -> None:
    key = store.key("basket", "ann")
    assert key.startswith("test-")
    assert key.endswith(":basket:ann")
    async with store.commands() as redis:
        await redis.set(key, "tea", ex=60)
        assert await redis.get(key) == b"tea"


async def test_a_redis_that_is_away_is_an_outage_and_not_an_empty_answer() -> None:
    store = redis_store.RedisStore(f"redis://{ports.free_address()}/0", "test", timeout_s=0.5)
    with pytest.raises(errors.TransientError, match="redis"):
        async with store.commands() as redis:
            await redis.get(store.key("basket"))
    await store.stop()


async def test_a_defect_of_ours_is_not_called_an_outage(store: redis_store.RedisStore) -> None:
    key = store.key("basket")
    async with store.commands() as redis:
        await redis.set(key, "tea", ex=60)
        with pytest.raises(ResponseError):
            await redis.hget(key, "field")


async def test_redis_is_not_waited_for_inside_a_transaction(database_url: str, store: redis_store.RedisStore) -> None:
    async with postgres.opened(database_url, {}) as db:
        async with db.transaction():
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                async with store.commands() as redis:
                    await redis.ping()
        async with store.commands() as redis:
            assert await redis.ping()
