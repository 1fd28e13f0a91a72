"""Fixtures of the tests that go through the edge of a running stack. The conftest.py of their folders import them."""

from collections.abc import AsyncIterator, Iterator, Mapping

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from services import registry
from services.chassis.rpc import serving
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


@pytest.fixture(scope="module", autouse=True)
def only_reasons_of_the_contract_are_answered(environment: Mapping[str, str]) -> Iterator[None]:
    """Whatever a module provokes, the services answer with reasons that their contract names for the method."""
    before = unnamed_reasons(environment)
    yield
    now = unnamed_reasons(environment)
    assert now == before, "a method answered a reason that its contract does not name: see that service's log"


def unnamed_reasons(environment: Mapping[str, str]) -> dict[str, float]:
    """How often each service alarmed about a reason that its contract does not name for the method that answered it."""
    found: dict[str, float] = {}
    for service in registry.load().services:
        text = httpx.get(f"http://{environment[f'{service.upper()}_METRICS_ADDR']}/metrics", trust_env=False).text
        for metric in text_string_to_metric_families(text):
            for sample in metric.samples:
                if sample.name == "souk_alarms_total" and sample.labels["alarm"] == serving.UNNAMED:
                    found[sample.labels["service"]] = sample.value
    return found
