"""A shipping service on a real database, with a real carrier process to call."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.chassis import clock, database
from services.shipping.usecases import delivering, handling
from tests.integration.shipping import dispatch as dispatches
from tests.integration.shipping.dispatch import Dispatch
from tests.support import simulators

# What an earlier test left to be asked about is none of the next one's business.
_FORGET = database.Statement("UPDATE parcels SET next_try_at = NULL WHERE next_try_at IS NOT NULL")


@pytest.fixture(scope="module")
def carrier_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("carrier")
    with simulators.carrier(folder) as url:
        yield url


@pytest_asyncio.fixture
async def db(db: database.Database) -> AsyncIterator[database.Database]:
    await db.read(_FORGET)
    yield db


@pytest_asyncio.fixture
async def idle(db: database.Database, carrier_url: str) -> AsyncIterator[Dispatch]:
    """A dispatch at which orders are heard, but nobody calls the carrier."""
    hearing = delivering.Delivering(db, now=clock.utc_now, wake=lambda: None)
    hands = handling.Handling(db, now=clock.utc_now, track_s=dispatches.TRACK_S, wake=lambda: None)
    async with httpx.AsyncClient(base_url=carrier_url, timeout=20) as carrier:
        (await carrier.delete("/control")).raise_for_status()
        yield Dispatch(db, hearing, hands, carrier)


@pytest_asyncio.fixture
async def dispatch(idle: Dispatch, carrier_url: str) -> AsyncIterator[Dispatch]:
    """A dispatch with its workers, and a carrier whose clock stands still until a test lets it run."""
    async with dispatches.working(idle.db, dispatches.settings(carrier_url)) as (hearing, hands):
        idle.hearing, idle.handling = hearing, hands
        yield idle
