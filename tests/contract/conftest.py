"""These tests run against the whole stack, through its edge and at its services' own addresses."""

from collections.abc import AsyncIterator, Mapping

import pytest_asyncio

from tests.contract import world as worlds
from tests.support import shop
from tests.support.through_edge import auditor, environment, market, only_reasons_of_the_contract_are_answered

__all__ = ["auditor", "environment", "market", "only_reasons_of_the_contract_are_answered"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(environment: Mapping[str, str]) -> AsyncIterator[worlds.World]:
    """A corner of the shop for the tests of one module, which run in one event loop."""
    async with shop.opened(environment) as opened:
        yield await worlds.made(opened)
