"""The calls of cart, on a real gRPC server and a real Redis."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from services.cart import rpc, usecases
from services.chassis import errors, redis_store
from souk.cart.v1 import cart_service_pb2, cart_service_pb2_grpc
from tests.support import calls

MOST = 20


@pytest_asyncio.fixture
async def entries(redis_url: str) -> AsyncIterator[usecases.Entries]:
    store = redis_store.RedisStore(redis_url, f"test-{uuid.uuid4().hex[:8]}", timeout_s=5.0)
    yield usecases.Entries(store, most=MOST)
    await store.stop()


@pytest_asyncio.fixture
async def shop(entries: usecases.Entries) -> AsyncIterator[calls.Shop]:
    async with calls.served(rpc.servicer(entries), "cart") as served:
        yield served


def stub(shop: calls.Shop) -> Any:
    return cart_service_pb2_grpc.CartServiceStub(shop.channel)


def somebody() -> str:
    return str(uuid.uuid4())


async def test_what_somebody_put_is_theirs_alone_and_counts_its_changes(shop: calls.Shop) -> None:
    ann, bob = shop.as_user(somebody()), shop.as_user(somebody())
    await stub(shop).PutCartEntry(cart_service_pb2.PutCartEntryRequest(text="tea"), metadata=ann)
    await stub(shop).PutCartEntry(cart_service_pb2.PutCartEntryRequest(text="coffee"), metadata=ann)
    kept = await stub(shop).GetCartEntry(cart_service_pb2.GetCartEntryRequest(), metadata=ann)
    assert (kept.text, kept.version) == ("coffee", 2)
    refused = await calls.refused(stub(shop).GetCartEntry(cart_service_pb2.GetCartEntryRequest(), metadata=bob))
    assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "ENTRY_NOT_FOUND")


async def test_a_text_that_is_too_long_changes_nothing(shop: calls.Shop) -> None:
    ann = shop.as_user(somebody())
    long = cart_service_pb2.PutCartEntryRequest(text="x" * (MOST + 1))
    refused = await calls.refused(stub(shop).PutCartEntry(long, metadata=ann))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "ENTRY_TOO_LONG")
    refused = await calls.refused(stub(shop).GetCartEntry(cart_service_pb2.GetCartEntryRequest(), metadata=ann))
    assert refused.reason == "ENTRY_NOT_FOUND"


async def test_nobody_keeps_anything_without_signing_in(shop: calls.Shop) -> None:
    refused = await calls.refused(stub(shop).PutCartEntry(cart_service_pb2.PutCartEntryRequest(text="tea")))
    assert refused.reason == "TOKEN_MISSING"


async def test_what_it_hears_changes_nothing_yet(entries: usecases.Entries) -> None:
    user_id = somebody()
    await entries.put(user_id, "tea")
    await entries.hear([user_id])
    await entries.hear([user_id])
    assert (await entries.get(user_id)).text == "tea"
