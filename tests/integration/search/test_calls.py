"""The calls of search, on a real gRPC server and a real database."""

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import errors
from services.search import rpc, usecases
from souk.search.v1 import search_service_pb2, search_service_pb2_grpc
from tests.support import calls, postgres

MOST = 20


@pytest.fixture(scope="module")
def database_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "search") as url:
        yield url


@pytest_asyncio.fixture
async def entries(database_url: str) -> AsyncIterator[usecases.Entries]:
    async with postgres.opened(database_url, {}) as db:
        yield usecases.Entries(db, most=MOST)


@pytest_asyncio.fixture
async def shop(entries: usecases.Entries) -> AsyncIterator[calls.Shop]:
    async with calls.served(rpc.servicer(entries), "search") as served:
        yield served


def stub(shop: calls.Shop) -> Any:
    return search_service_pb2_grpc.SearchServiceStub(shop.channel)


def somebody() -> str:
    return str(uuid.uuid4())


async def test_what_somebody_put_is_theirs_alone_and_counts_its_changes(shop: calls.Shop) -> None:
    ann, bob = shop.as_user(somebody()), shop.as_user(somebody())
    await stub(shop).PutSearchEntry(search_service_pb2.PutSearchEntryRequest(text="tea"), metadata=ann)
    await stub(shop).PutSearchEntry(search_service_pb2.PutSearchEntryRequest(text="coffee"), metadata=ann)
    kept = await stub(shop).GetSearchEntry(search_service_pb2.GetSearchEntryRequest(), metadata=ann)
    assert (kept.text, kept.version) == ("coffee", 2)
    refused = await calls.refused(stub(shop).GetSearchEntry(search_service_pb2.GetSearchEntryRequest(), metadata=bob))
    assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "ENTRY_NOT_FOUND")


async def test_a_text_that_is_too_long_changes_nothing(shop: calls.Shop) -> None:
    ann = shop.as_user(somebody())
    long = search_service_pb2.PutSearchEntryRequest(text="x" * (MOST + 1))
    refused = await calls.refused(stub(shop).PutSearchEntry(long, metadata=ann))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "ENTRY_TOO_LONG")
    refused = await calls.refused(stub(shop).GetSearchEntry(search_service_pb2.GetSearchEntryRequest(), metadata=ann))
    assert refused.reason == "ENTRY_NOT_FOUND"


async def test_nobody_keeps_anything_without_signing_in(shop: calls.Shop) -> None:
    refused = await calls.refused(stub(shop).PutSearchEntry(search_service_pb2.PutSearchEntryRequest(text="tea")))
    assert refused.reason == "TOKEN_MISSING"


async def test_what_it_hears_changes_nothing_yet(entries: usecases.Entries) -> None:
    user_id = somebody()
    await entries.put(user_id, "tea")
    async with entries._db.transaction() as transaction:
        await entries.hear(transaction, [user_id])
    assert (await entries.get(user_id)).text == "tea"
