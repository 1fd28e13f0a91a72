"""A database for each module, and the use cases of orders on it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from services.chassis import database
from services.order import events
from services.order.usecases import Orders
from tests.integration.order import ordering
from tests.support import postgres


@pytest.fixture(scope="module")
def database_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "order") as url:
        yield url


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, events.PUBLISHED) as opened:
        await opened.read(database.Statement("TRUNCATE outbox"))
        yield opened


@pytest.fixture
def prices() -> ordering.PriceList:
    return ordering.PriceList()


@pytest.fixture
def orders(db: database.Database, prices: ordering.PriceList) -> Orders:
    return ordering.using(db, prices)
