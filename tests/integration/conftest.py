"""The servers that integration tests share, and a database of its own for every module."""

import pytest

from tests.support import servers


@pytest.fixture(scope="session")
def postgres_admin_url() -> str:
    """A PostgreSQL server on which databases may be made (see tests/support/postgres.py)."""
    return servers.postgres_admin_url()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis server."""
    return servers.redis_url()
