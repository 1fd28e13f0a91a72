"""Fixtures of the tests that call the catalog over its real gRPC server, with a real inventory behind it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from services.catalog import clients, rpc, usecases
from services.chassis import cache, clock, database
from services.chassis.rpc import client, identity
from services.inventory import events as inventory_events
from services.inventory import rpc as inventory_rpc
from services.inventory import usecases as inventory_usecases
from souk.catalog.v1 import catalog_service_pb2_grpc
from tests.integration.catalog.served import Served
from tests.support import calls, postgres


@pytest.fixture(scope="module")
def inventory_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "inventory") as url:
        yield url


@pytest_asyncio.fixture
async def inventory(inventory_url: str) -> AsyncIterator[str]:
    """Where a real inventory service answers."""
    async with postgres.opened(inventory_url, inventory_events.PUBLISHED) as db:
        servicer = inventory_rpc.servicer(inventory_usecases.Stock(db, hold_s=600))
        async with calls.served(servicer, "inventory") as shop:
            yield shop.address


@pytest_asyncio.fixture
async def catalog(db: database.Database, shared: cache.Shared, inventory: str, category: str) -> AsyncIterator[Served]:
    mesh = identity.Mesh(calls.MESH_KEY, "catalog")
    peer = client.Peer(inventory, clients.DESCRIPTOR, mesh, traced=False)
    remembered = usecases.caches(shared, shared_s=30)
    catalog = usecases.Catalog(db, clients.Inventory(peer), remembered, now=clock.utc_now)
    async with calls.served(rpc.servicer(catalog), "catalog") as shop:
        yield Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
    await peer.stop()
