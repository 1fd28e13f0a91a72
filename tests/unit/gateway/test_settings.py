from pathlib import Path

import pytest

from gateway import settings
from gateway.settings import Address


def problems(environment: dict[str, str], services: list[str]) -> tuple[str, ...]:
    with pytest.raises(settings.SettingsError) as refused:
        settings.from_environment(environment, services)
    return refused.value.problems


def test_the_addresses_of_the_services_are_all_it_needs(environment: dict[str, str], registry: list[str]) -> None:
    configured = settings.from_environment(environment, registry)

    assert configured.listen == Address("127.0.0.1", 8080)
    assert configured.rate_limit_factor == 1
    assert configured.max_request_bytes == 1048576
    assert configured.tracing is None


def test_a_service_may_have_several_addresses(environment: dict[str, str], registry: list[str]) -> None:
    environment["ORDER_ADDR"] = "10.0.0.1:50054, 10.0.0.2:50054"

    configured = settings.from_environment(environment, registry)

    assert configured.services["order"] == (Address("10.0.0.1", 50054), Address("10.0.0.2", 50054))


def test_everything_that_is_wrong_is_said_at_once(environment: dict[str, str], registry: list[str]) -> None:
    del environment["ORDER_ADDR"]
    environment |= {
        "USER_ADDR": "nowhere",
        "EDGE_LISTEN": "localhost:8080",
        "EDGE_ADMIN_LISTEN": "0.0.0.0:9901",
        "EDGE_RATE_LIMIT_FACTOR": "0",
        "EDGE_TRUSTED_HOPS": "one",
        "TRACE_RATIO": "2",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4317",
    }

    named = {problem.partition(":")[0] for problem in problems(environment, registry)}

    assert named == {
        "ORDER_ADDR",
        "USER_ADDR",
        "EDGE_LISTEN",
        "EDGE_ADMIN_LISTEN",
        "EDGE_RATE_LIMIT_FACTOR",
        "EDGE_TRUSTED_HOPS",
        "TRACE_RATIO",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    }


def test_addresses_and_names_of_one_service_are_not_mixed(environment: dict[str, str], registry: list[str]) -> None:
    environment["ORDER_ADDR"] = "10.0.0.1:50054,order:50054"

    assert problems(environment, registry) == ("ORDER_ADDR: give IP addresses or names, not both",)


def test_an_empty_variable_counts_as_unset(environment: dict[str, str], registry: list[str]) -> None:
    configured = settings.from_environment({**environment, "EDGE_LISTEN": "", "TOKEN_ISSUER": " "}, registry)

    assert configured.listen.port == 8080
    assert configured.issuer == "https://souk.local"


def test_a_folder_without_certificates_is_refused(
    environment: dict[str, str], registry: list[str], tmp_path: Path
) -> None:
    with pytest.raises(settings.SettingsError, match=r"MESH_TLS_DIR: .* has no tls.crt, tls.key, ca.crt"):
        settings.from_environment(environment | {"MESH_TLS_DIR": str(tmp_path)}, registry)
