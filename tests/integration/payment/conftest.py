"""A payment service on a real database, with a real provider process to call."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.chassis import clock, database
from services.payment import usecases
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till
from tests.support import simulators

# What an earlier test left to be asked about is none of the next one's business.
_FORGET = database.Statement("UPDATE payments SET next_try_at = NULL WHERE next_try_at IS NOT NULL")


@pytest.fixture(scope="module")
def provider_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("provider")
    with simulators.provider(folder) as url:
        yield url


@pytest_asyncio.fixture
async def db(db: database.Database) -> AsyncIterator[database.Database]:
    await db.read(_FORGET)
    yield db


@pytest_asyncio.fixture
async def idle_till(db: database.Database, provider_url: str) -> AsyncIterator[Till]:
    """A till at which orders are heard, but nobody calls the provider."""
    payments = usecases.Payments(db, now=clock.utc_now, wake=lambda: None)
    async with httpx.AsyncClient(base_url=provider_url, timeout=20) as provider:
        (await provider.delete("/control")).raise_for_status()
        yield Till(db, payments, provider)


@pytest_asyncio.fixture
async def till(idle_till: Till, provider_url: str) -> AsyncIterator[Till]:
    """A till with its worker."""
    async with tills.working(idle_till.db, tills.settings(provider_url)) as payments:
        idle_till.payments = payments
        yield idle_till
