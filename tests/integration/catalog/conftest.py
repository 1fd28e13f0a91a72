"""A database, a cache and the use cases of the catalog."""

import uuid
from collections.abc import AsyncIterator, Iterable, Iterator

import pytest
import pytest_asyncio

from services.catalog import clients, domain, rpc, store, usecases
from services.chassis import cache, clock, database
from services.chassis.rpc import client, identity, page_tokens
from services.inventory import events as inventory_events
from services.inventory import rpc as inventory_rpc
from services.inventory import usecases as inventory_usecases
from souk.catalog.v1 import catalog_service_pb2_grpc
from tests.integration.catalog.served import Served, use_cases
from tests.support import calls, postgres


class Shelves:
    """Stands where inventory is: a port of the use cases, here with a record of what it was told."""

    def __init__(self) -> None:
        self.told: list[domain.Counted] = []
        self.stocked: set[str] = set()
        self.asked: list[str] = []

    async def known(self, skus: Iterable[str]) -> set[str]:
        wanted = list(skus)
        self.asked += wanted
        return self.stocked & set(wanted)

    async def set(self, counted: domain.Counted) -> domain.StockLevel:
        self.told.append(counted)
        return domain.StockLevel(counted.sku, counted.warehouse, counted.on_hand, 0, counted.on_hand)


@pytest.fixture
def own_redis_url(redis_url: str, worker_id: str) -> str:
    """A part of the Redis that no other worker of this test run uses, nor a running catalog: each has its own database."""
    number = int(worker_id.removeprefix("gw")) if worker_id != "master" else 0
    return redis_url.rpartition("/")[0] + f"/{8 + number % 8}"


@pytest_asyncio.fixture
async def shared(own_redis_url: str) -> AsyncIterator[cache.Shared]:
    """A Redis that knows no category. Products and SKUs are new ones in every test."""
    made = cache.Shared(own_redis_url, cache.Seal(b"a secret of the tests"))
    await made.forget(["catalog:categories:all"])
    yield made
    await made.stop()


@pytest.fixture
def shelves() -> Shelves:
    return Shelves()


@pytest.fixture
def catalog(db: database.Database, shared: cache.Shared, shelves: Shelves) -> usecases.Catalog:
    return usecases.Catalog(db, shelves, usecases.caches(shared, shared_s=30), now=clock.utc_now)


@pytest_asyncio.fixture
async def category(db: database.Database) -> str:
    """A category of this test's own."""
    slug = f"c-{uuid.uuid4()}"
    async with db.transaction() as transaction:
        await store.put_category(transaction, domain.Category(slug, "Drinks"))
    return slug


@pytest.fixture(scope="module")
def inventory_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "inventory") as url:
        yield url


@pytest_asyncio.fixture
async def inventory(inventory_url: str) -> AsyncIterator[str]:
    """Where a real inventory service answers."""
    async with postgres.opened(inventory_url, inventory_events.PUBLISHED) as db:
        servicer = inventory_rpc.servicer(inventory_usecases.inventory(db, hold_s=600), page_tokens.PageTokens(db))
        async with calls.served(servicer, "inventory") as shop:
            yield shop.address


@pytest_asyncio.fixture
async def served(db: database.Database, shared: cache.Shared, inventory: str, category: str) -> AsyncIterator[Served]:
    mesh = identity.Mesh(calls.MESH_KEY, "catalog")
    peer = client.Peer(inventory, clients.DESCRIPTOR, mesh, traced=False)
    remembered = usecases.caches(shared, shared_s=30)
    catalog = usecases.Catalog(db, clients.Inventory(peer), remembered, now=clock.utc_now)
    use = use_cases(db, catalog)
    async with calls.served(rpc.servicer(use, page_tokens.PageTokens(db)), "catalog") as shop:
        yield Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
    await peer.stop()
