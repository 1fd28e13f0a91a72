"""The depot: inventory behind its real calls, on a real database."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.chassis import database
from services.chassis.rpc import page_tokens
from services.inventory import rpc, usecases
from souk.inventory.v1 import inventory_service_pb2_grpc
from tests.integration.inventory.depot import Depot
from tests.support import calls


@pytest_asyncio.fixture
async def depot(db: database.Database) -> AsyncIterator[Depot]:
    does = usecases.inventory(db, hold_s=600)
    async with calls.served(rpc.servicer(does, page_tokens.PageTokens(db)), "inventory") as shop:
        yield Depot(db, does, shop, inventory_service_pb2_grpc.InventoryServiceStub(shop.channel))
