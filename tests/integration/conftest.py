"""The servers that integration tests share, and a database of its own for every module."""

import importlib
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from services.chassis import database
from tests.support import postgres, servers


@pytest.fixture(scope="session")
def postgres_admin_url() -> str:
    """A PostgreSQL server on which databases may be made (see tests/support/postgres.py)."""
    return servers.postgres_admin_url()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis server."""
    return servers.redis_url()


@pytest.fixture(scope="module")
def database_url(request: pytest.FixtureRequest, postgres_admin_url: str) -> Iterator[str]:
    """A new, migrated database: of the service that the folder is called after, or that the module names as SERVICE."""
    with postgres.fresh_database(postgres_admin_url, _service(request)) as url:
        yield url


@pytest_asyncio.fixture
async def db(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[database.Database]:
    """That database as its service has it, with nothing in its outbox: events stay there, for there is no relay."""
    events = importlib.import_module(f"services.{_service(request)}.events")
    async with postgres.opened(database_url, events.PUBLISHED) as opened:
        await opened.read(database.Statement("TRUNCATE outbox"))
        yield opened


def _service(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.module, "SERVICE", request.path.parent.name))
