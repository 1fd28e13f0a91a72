"""Calls to other services: how long they may take, what is repeated, and what is not, against real gRPC servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from services.chassis import errors
from services.chassis.rpc import client, deadline, identity, server
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc
from tests.support import calls, postgres

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"

_CATALOG: Any = catalog_service_pb2_grpc.CatalogServiceServicer
CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
USERS = user_service_pb2.DESCRIPTOR.services_by_name["UserService"]
ASKED = catalog_service_pb2.BatchGetOffersRequest(skus=["A"])
LOGIN = user_service_pb2.LoginRequest(email="a@b.example", password="secret")


class Catalog(_CATALOG):  # type: ignore[misc]  # leaves most methods out
    """Remembers how long its callers wait, and does what a test says."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.act = act
        self.takes_s = 0.0
        self.waited: list[float] = []

    async def BatchGetOffers(self, _: Any, context: Any) -> Any:
        self.waited.append(context.time_remaining())
        await asyncio.sleep(self.takes_s)
        self.act()
        return catalog_service_pb2.BatchGetOffersResponse()


@asynccontextmanager
async def asked(catalog: Catalog) -> AsyncIterator[Callable[..., Any]]:
    """What calls the catalog as the order service does."""
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    async with calls.served(server.Servicer(CATALOG, add, catalog), "catalog") as shop:
        peer = client.Peer(shop.address, CATALOG, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
        stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)
        yield lambda **options: peer.call(stub.BatchGetOffers, ASKED, **options)
        await peer.stop()


async def with_deadline(seconds: float, call: Callable[..., Any]) -> Any:
    deadline.begin(seconds)
    return await call()


async def test_a_call_may_take_what_the_contract_allows_or_less() -> None:
    catalog = Catalog()
    async with asked(catalog) as call:
        await call()
        await call(timeout_s=1.0)
        await asyncio.create_task(with_deadline(0.9, call))
        await asyncio.create_task(with_deadline(60, call))
    by_contract, capped, by_caller, patient = catalog.waited
    # gRPC rounds up what it sends; a busy machine takes its time.
    assert 1.2 < by_contract < 2.1
    assert 0.4 < capped < 1.1
    assert 0.3 < by_caller < 1.0
    assert 1.2 < patient < 2.1


async def test_a_deadline_that_expires_during_a_call_is_the_callers_own() -> None:
    catalog = Catalog()
    catalog.takes_s = 5
    async with asked(catalog) as call:
        started = time.monotonic()
        # The other side knows the deadline too, and may be the first to say that it expired.
        with pytest.raises((TimeoutError, errors.DomainError), match="deadline expired"):
            await asyncio.create_task(with_deadline(0.5, call))
        assert time.monotonic() - started < 2
        with pytest.raises(TimeoutError):
            await asyncio.create_task(with_deadline(0, call))
    assert len(catalog.waited) == 1, "what nobody waits for is not asked"


async def test_overload_is_told_at_once_with_a_pause_and_not_repeated_by_us() -> None:
    def refuse() -> None:
        raise errors.overloaded()

    catalog = Catalog(refuse)
    async with asked(catalog) as call:
        with pytest.raises(errors.DomainError) as caught:
            await call()
    error = caught.value
    assert (error.code, error.reason, error.retry_after_s) == (errors.Code.RESOURCE_EXHAUSTED, "OVERLOADED", 1.0)
    assert len(catalog.waited) == 1


class Closing(grpc.aio.ServerInterceptor):
    """Ends the first calls with CANCELLED, as a server that closes does."""

    def __init__(self, ends: int) -> None:
        self.calls, self._ends = 0, ends

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        self.calls += 1
        return _cancelled() if self.calls <= self._ends else await continuation(details)


def _cancelled() -> Any:
    async def end(_: bytes, context: Any) -> None:
        await context.abort(grpc.StatusCode.CANCELLED, "CANCELLED")

    return grpc.unary_unary_rpc_method_handler(end)


@asynccontextmanager
async def closing(interceptor: Closing, add: Any, servicer: Any) -> AsyncIterator[str]:
    running: Any = grpc.aio.server(interceptors=[interceptor])
    add(servicer, running)
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    yield f"127.0.0.1:{port}"
    await running.stop(None)


async def test_a_call_that_a_closing_server_cancelled_is_repeated() -> None:
    interceptor = Closing(2)
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    async with closing(interceptor, add, Catalog()) as address:
        peer = client.Peer(address, CATALOG, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
        stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)
        await peer.call(stub.BatchGetOffers, ASKED)
        await peer.stop()
    assert interceptor.calls == 3


async def test_a_call_that_must_not_happen_twice_is_not_repeated() -> None:
    interceptor = Closing(2)
    users: Any = user_service_pb2_grpc.UserServiceServicer
    async with closing(interceptor, user_service_pb2_grpc.add_UserServiceServicer_to_server, users()) as address:
        peer = client.Peer(address, USERS, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
        stub = user_service_pb2_grpc.UserServiceStub(peer.channel)
        with pytest.raises(errors.TransientError, match="CANCELLED"):
            await peer.call(stub.Login, LOGIN)
        await peer.stop()
    assert interceptor.calls == 1


async def test_a_call_inside_a_transaction_is_refused(database_url: str) -> None:
    async with postgres.opened(database_url, {}) as db, asked(catalog := Catalog()) as ask:
        async with db.transaction():
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                await ask()
        await ask()
    assert len(catalog.waited) == 1
