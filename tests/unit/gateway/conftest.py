"""The compiled contract, and a way to plant a mistake in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2

from gateway import contract, settings

ROOT = Path(__file__).resolve().parents[3]
Edit = Callable[[descriptor_pb2.MethodDescriptorProto], None]


@pytest.fixture(scope="session")
def descriptors() -> bytes:
    return (ROOT / ".souk" / "gen" / "souk.binpb").read_bytes()


@pytest.fixture(scope="session")
def registry() -> list[str]:
    return list(yaml.safe_load((ROOT / "services" / "services.yaml").read_text())["services"])


@pytest.fixture(scope="session")
def contracted(descriptors: bytes, registry: list[str]) -> contract.Contract:
    return contract.read(descriptors, registry)


@pytest.fixture
def environment(registry: list[str]) -> dict[str, str]:
    return {f"{name.upper()}_ADDR": f"127.0.0.1:{50051 + number}" for number, name in enumerate(registry)}


@pytest.fixture
def configured(environment: dict[str, str], registry: list[str]) -> settings.Settings:
    return settings.from_environment(environment, registry)


@pytest.fixture
def edited(descriptors: bytes) -> Callable[[str, Edit], bytes]:
    """The contract with one method changed."""

    def edit(method_name: str, change: Edit) -> bytes:
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        methods = [method for file in files.file for service in file.service for method in service.method]
        change(next(method for method in methods if method.name == method_name))
        return files.SerializeToString()

    return edit
