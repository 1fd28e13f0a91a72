"""These tests break parts of the running stack, so they run alone, after all others. Each leaves the stack whole."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
import pytest_asyncio

from scripts.stack import control, layout, plan, settings
from tests.faults import mortals, scenes
from tests.support import audit, shop, stack
from tests.support.through_edge import auditor, environment, market

__all__ = ["auditor", "environment", "market"]


def processes() -> tuple[str, ...]:
    """The names of the stack's processes: one for each service, or one for all of them."""
    saved = layout.saved(stack.name())
    return plan.names(settings.read(saved, os.environ, resume=True))


@pytest.fixture
def stacked(environment: Mapping[str, str]) -> Iterator[control.Stacked]:
    """The stack's processes, to be killed and started. What a test leaves dead is started again."""
    del environment  # it is up
    stacked = control.Stacked(stack.name())
    yield stacked
    for name in processes():
        if not stacked.alive(name):
            stacked.start(name)


@pytest.fixture(scope="module")
def mortal(environment: Mapping[str, str], request: pytest.FixtureRequest) -> Iterator[mortals.Mortals]:
    """The services that the module names in ON_THE_WAY, which can be trapped."""
    del environment  # it is up
    with mortals.of_the_stack(request.module.ON_THE_WAY) as mortal:
        yield mortal


@pytest_asyncio.fixture
async def scene(
    mortal: mortals.Mortals, market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> AsyncIterator[scenes.Scene]:
    """Everything is well, and nobody has ordered yet."""
    customer, _ = await market.registered()
    tea = await market.product(stock=scenes.STOCK)
    yield scenes.Scene(mortal, auditor, environment, market, customer, tea)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a victim is about each process of the stack."""
    if "victim" in metafunc.fixturenames:
        metafunc.parametrize("victim", processes())
