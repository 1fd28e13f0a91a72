"""A broker that asks who is there, for the modules that are about it; and servicers that answer whatever a test says."""

from collections.abc import Iterator

import pytest

from tests.support import secure_kafka


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[secure_kafka.Broker]:
    """SCRAM over TLS, with ACLs (see tests/support/secure_kafka.py)."""
    with secure_kafka.running(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(autouse=True)
def only_reasons_of_the_contract() -> None:
    """The servicers of these tests stand for any: their reasons are those of no contract."""
