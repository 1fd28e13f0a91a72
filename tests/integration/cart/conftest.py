"""Carts in a real Redis, under keys of their own, behind a real gRPC server."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.cart import rpc, usecases
from services.chassis import redis_store
from tests.integration.cart import shelf
from tests.support import calls


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[redis_store.RedisStore]:
    kept = redis_store.RedisStore(redis_url, f"test-{uuid.uuid4().hex[:8]}", timeout_s=5.0)
    yield kept
    await kept.stop()


@pytest.fixture
def market() -> shelf.Shop:
    return shelf.Shop()


@pytest.fixture
def till() -> shelf.Till:
    return shelf.Till()


@pytest.fixture
def carts(redis: redis_store.RedisStore, market: shelf.Shop, till: shelf.Till) -> usecases.Carts:
    return shelf.carts_in(redis, market, till)


@pytest_asyncio.fixture
async def shop(carts: usecases.Carts) -> AsyncIterator[calls.Shop]:
    async with calls.served(rpc.servicer(carts), "cart") as served:
        yield served
