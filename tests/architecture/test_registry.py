"""The registry, the folders of services and the contract say the same; the contract says all it must."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from services import registry
from souk.options.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = registry.load()


def contract() -> list[FileDescriptorProto]:
    everything = descriptor_pb2.FileDescriptorSet.FromString((ROOT / ".souk/gen/souk.binpb").read_bytes())
    return [file for file in everything.file if file.package.startswith("souk.")]


def methods() -> Iterator[tuple[str, descriptor_pb2.MethodDescriptorProto]]:
    for file in contract():
        for service in file.service:
            for method in service.method:
                yield file.package.split(".")[1], method


def messages() -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
    for file in contract():
        for message in file.message_type:
            yield file.package.split(".")[1], message


# A provider or a carrier tells of everything that happens at it from few addresses; a person does one thing after another.
MOST_OF_A_PERSON = 200
MOST_OF_A_SYSTEM = 6000
METHODS = [pytest.param(service, method, id=f"{service}.{method.name}") for service, method in methods()]


def test_every_service_has_a_folder_a_contract_and_a_block() -> None:
    blocks = set(REGISTRY.services)
    folders = {path.parent.name for path in (ROOT / "services").glob("*/main.py")}
    contracts = {path.parent.parent.name for path in (ROOT / "proto/souk").glob("*/v1/*_service.proto")}
    assert blocks == folders == contracts


def test_ports_are_unique() -> None:
    ports = [port for service in REGISTRY.services.values() for port in (service.port, service.metrics_port)]
    assert len(ports) == len(set(ports))
    assert len({port % 100 for port in (service.port for service in REGISTRY.services.values())}) == len(
        REGISTRY.services
    )


def test_every_topic_that_is_used_exists_and_every_call_goes_to_a_service() -> None:
    for service in REGISTRY.services.values():
        assert {*service.publishes, *service.consumes} <= REGISTRY.topics.keys()
        assert set(service.calls) <= REGISTRY.services.keys()


def test_a_service_consumes_and_publishes_what_its_tables_say() -> None:
    published: dict[str, set[str]] = {name: set() for name in REGISTRY.services}
    for service, message in messages():
        event = message.options.Extensions[options_pb2.event]
        if event.topic:
            published[service].add(event.topic)
            assert event.key in {field.name for field in message.field}, message.name
    for name, block in REGISTRY.services.items():
        assert published[name] == set(block.publishes), name


@pytest.mark.parametrize(("service", "method"), METHODS)
def test_every_method_has_a_policy(service: str, method: descriptor_pb2.MethodDescriptorProto) -> None:
    policy = method.options.Extensions[options_pb2.policy]
    access = policy.access
    assert access.public or access.roles or access.services or access.any_service, (
        f"{service}.{method.name} has no access rule"
    )
    assert not (access.public and (access.roles or access.services or access.any_service))
    assert policy.idempotency
    assert {*access.services, *access.for_users} <= REGISTRY.services.keys()
    assert access.roles or not access.for_users
    if access.public or access.roles:
        route = method.options.Extensions[annotations_pb2.http]
        assert route.WhichOneof("pattern"), "people reach it over REST"
        # Who signs what it sends is a system.
        most = MOST_OF_A_SYSTEM if policy.headers else MOST_OF_A_PERSON
        assert 60 <= policy.rate_limit.per_minute <= most
        assert policy.rate_limit.scope


@pytest.mark.parametrize(("service", "method"), METHODS)
def test_who_may_call_is_who_says_it_calls(service: str, method: descriptor_pb2.MethodDescriptorProto) -> None:
    access = method.options.Extensions[options_pb2.policy].access
    for caller in (*access.services, *access.for_users):
        assert service in REGISTRY.services[caller].calls


@pytest.mark.parametrize(("service", "method"), METHODS)
def test_a_keyed_method_takes_a_request_id(service: str, method: descriptor_pb2.MethodDescriptorProto) -> None:
    keyed = method.options.Extensions[options_pb2.policy].idempotency == options_pb2.Policy.KEYED
    request = method.input_type.rsplit(".", 1)[1]
    fields = {
        field.name
        for owner, message in messages()
        if owner == service and message.name == request
        for field in message.field
    }
    assert ("request_id" in fields) == keyed
