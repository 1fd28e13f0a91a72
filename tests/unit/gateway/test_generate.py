import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2

from gateway import generate
from souk.options.v1 import options_pb2

Method = descriptor_pb2.MethodDescriptorProto


@pytest.fixture(autouse=True)
def _services(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_it_writes_the_configuration_and_the_document(tmp_path: Path) -> None:
    assert generate.main(["--out", str(tmp_path / "edge")]) == 0

    configuration = yaml.safe_load((tmp_path / "edge" / "envoy.yaml").read_text())
    document = json.loads((tmp_path / "edge" / "openapi.json").read_text())
    assert configuration["static_resources"]["listeners"][0]["name"] == "edge"
    assert "/api/v1/orders" in document["paths"]


def test_a_second_run_writes_the_same(tmp_path: Path) -> None:
    generate.main(["--out", str(tmp_path / "one")])
    generate.main(["--out", str(tmp_path / "two")])

    assert (tmp_path / "one" / "envoy.yaml").read_bytes() == (tmp_path / "two" / "envoy.yaml").read_bytes()


def test_a_mistake_in_the_contract_is_one_line_and_nothing_is_written(
    edited: Callable[[str, Callable[[Method], None]], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "souk.binpb"
    broken.write_bytes(edited("GetOrder", lambda method: method.options.Extensions[options_pb2.policy].Clear()))

    assert generate.main(["--out", str(tmp_path / "edge"), "--descriptors", str(broken)]) == 1

    assert capsys.readouterr().err == (
        "gateway: souk.order.v1.OrderService.GetOrder: no access rule (option souk.options.v1.policy)\n"
    )
    assert not (tmp_path / "edge").exists()


def test_a_missing_address_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ORDER_ADDR")

    assert generate.main(["--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "gateway: ORDER_ADDR: not set; it says where the service listens, as host:port\n"
    )


def test_an_unbuilt_contract_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "souk.binpb"

    assert generate.main(["--out", str(tmp_path), "--descriptors", str(missing)]) == 1
    assert "python -m scripts.generate.proto" in capsys.readouterr().err
