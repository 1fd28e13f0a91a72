"""Fixtures of the tests that go through the edge of a running stack. The conftest.py of their folders import them."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.support import audit, shop, stack


@pytest.fixture(scope="session")
def environment() -> Mapping[str, str]:
    """Where the parts of the running stack are."""
    return stack.environment()


@pytest_asyncio.fixture
async def market(environment: Mapping[str, str]) -> AsyncIterator[shop.Shop]:
    """The shop, and the people in it."""
    async with shop.opened(environment) as opened:
        yield opened


@pytest.fixture
def auditor(environment: Mapping[str, str]) -> audit.Auditor:
    """Whoever compares the books."""
    return audit.Auditor(environment)
