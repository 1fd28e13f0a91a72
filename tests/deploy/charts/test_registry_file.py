"""What the chart loops over is what the registry and the contract say."""

from typing import Any

import pytest
import yaml

from gateway import contract
from scripts.generate.chart import __main__ as chart
from scripts.generate.chart import registry_file
from services import registry

REGISTRY = registry.load()
CONTRACT = contract.read(chart.DESCRIPTORS.read_bytes(), REGISTRY.services)


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((chart.ROOT / "helm/souk/files/registry.yaml").read_text())
    return document


def test_the_generated_files_are_up_to_date() -> None:
    assert chart.main(["--check"]) == 0


def test_every_service_and_every_topic_is_in_it(file: dict[str, Any]) -> None:
    assert list(file["services"]) == list(REGISTRY.services)
    assert {name: block["port"] for name, block in file["services"].items()} == {
        name: service.port for name, service in REGISTRY.services.items()
    }
    assert {name: block["partitions"] for name, block in file["topics"].items()} == {
        name: topic.partitions for name, topic in REGISTRY.topics.items()
    }


def test_whoever_an_access_rule_admits_is_a_caller_with_that_method(file: dict[str, Any]) -> None:
    for method in CONTRACT.methods:
        for caller in filter(method.access.admits, REGISTRY.services.keys() - {method.service}):
            assert method.grpc_path in file["services"][method.service]["callers"][caller]


def test_the_edge_may_call_what_people_may_call_and_nothing_else(file: dict[str, Any]) -> None:
    for service in CONTRACT.services:
        exposed = [method.grpc_path for method in service.methods if method.access.exposed]
        assert file["services"][service.name]["callers"].get("edge", []) == exposed


def test_a_method_for_services_is_open_to_those_that_its_rule_admits_and_no_others(file: dict[str, Any]) -> None:
    closed = [method for method in CONTRACT.methods if not method.access.exposed]
    assert closed
    for method in closed:
        for caller, paths in file["services"][method.service]["callers"].items():
            assert (method.grpc_path in paths) == (caller != registry_file.EDGE and method.access.admits(caller))


def test_a_call_that_the_contract_does_not_allow_is_refused() -> None:
    curious = registry.Service("user", 1, 2, calls=("order",))
    services = {**REGISTRY.services, "user": curious}
    own = [service for service in CONTRACT.services if service.name != "order"]
    closed = contract.Service("order", "souk.order.v1.OrderService", "", ())
    with pytest.raises(ValueError, match="user says that it calls order"):
        registry_file.render(
            registry.Registry(services, REGISTRY.topics),
            contract.Contract((*own, closed), CONTRACT.messages, CONTRACT.enums),
        )
