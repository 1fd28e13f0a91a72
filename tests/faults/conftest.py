"""These tests break parts of the running stack, so they run alone, after all others. Each leaves the stack whole."""

import os
from collections.abc import Iterator, Mapping

import pytest

from scripts.stack import control, layout, plan, settings
from tests.support import stack
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a victim is about each process of the stack."""
    if "victim" in metafunc.fixturenames:
        metafunc.parametrize("victim", processes())
