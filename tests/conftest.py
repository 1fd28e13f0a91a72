"""What holds for every test."""

from collections.abc import Iterator

import hypothesis
import pytest
from prometheus_client import REGISTRY

from services.chassis.rpc import serving

# How long one example takes says how busy the machine is, and nothing else.
hypothesis.settings.register_profile("souk", deadline=None)
hypothesis.settings.load_profile("souk")


def unnamed_reasons() -> float:
    """How often a server in this process answered a reason that the contract does not name for the method."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return sum(s.value for s in samples if s.name == "souk_alarms_total" and s.labels["alarm"] == serving.UNNAMED)


@pytest.fixture(autouse=True)
def only_reasons_of_the_contract() -> Iterator[None]:
    """Whatever a test provokes, a server answers with reasons that its contract names."""
    before = unnamed_reasons()
    yield
    assert unnamed_reasons() == before, "a method answered a reason that its contract does not name: see the log"
