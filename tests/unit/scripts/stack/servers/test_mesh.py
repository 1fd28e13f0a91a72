"""When a service's process is replaced: whenever what it imports or reads is another, and for no other reason."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.stack import layout, settings
from scripts.stack.servers import mesh
from scripts.stack.supervise import fingerprints
from services import registry

SERVICES = tuple(registry.load().services.values())


def fingerprint(root: Path, given: Mapping[str, str], name: str = "order") -> str:
    chosen = settings.read(layout.Stack(root=root), given)
    return next(made.fingerprint for made in mesh.build(chosen) if made.name == name)


# What Python itself imports for each service, in a process each; what they all need from elsewhere is read once.
LISTED = """
import importlib, json, os, sys
import grpc, kafka, psycopg, sqlalchemy
for service in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module("services.__main__"), importlib.import_module(f"services.{service}.main")
        files = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "services"]
        print(json.dumps([service, files]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


def test_every_file_that_a_service_imports_is_in_its_fingerprint() -> None:
    command = [sys.executable, "-c", LISTED, *(service.name for service in SERVICES)]
    done = subprocess.run(command, cwd=layout.ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this Python
    listed = dict(json.loads(line) for line in done.stdout.splitlines())
    for service in SERVICES:
        imported = {Path(name) for name in listed[service.name]}
        assert layout.ROOT / "services" / service.name / "main.py" in imported
        assert imported <= set(fingerprints.files(mesh._sources((service,)))), service.name


def test_what_is_read_and_not_imported_is_in_it_too() -> None:
    [order] = (service for service in SERVICES if service.name == "order")
    files = set(fingerprints.files(mesh._sources((order,))))
    assert set((layout.ROOT / "services" / "order" / "migrations").glob("*.py")) < files
    assert {layout.ROOT / "services" / "services.yaml", layout.ROOT / ".venv" / ".installed"} < files
    assert not [path for path in files if (layout.ROOT / "services" / "payment") in path.parents]


@pytest.mark.parametrize(
    "name", ["CONSUMER_BATCH", "TRACE_RATIO", "GATHER_S", "ORDER_PRICE_AGE_S", "OTEL_SERVICE_NAME"]
)
def test_a_setting_that_a_service_reads_makes_another_process(tmp_path: Path, name: str) -> None:
    assert fingerprint(tmp_path, {name: "1"}) != fingerprint(tmp_path, {})


@pytest.mark.parametrize("name", ["TERM", "SSH_CONNECTION", "CATALOG_CACHE_S"])
def test_what_it_does_not_read_makes_none(tmp_path: Path, name: str) -> None:
    assert fingerprint(tmp_path, {name: "1"}) == fingerprint(tmp_path, {})


def test_another_administrators_password_makes_another_process(tmp_path: Path) -> None:
    one = fingerprint(tmp_path, {"ADMIN_PASSWORD": "one long password"}, "user")
    assert fingerprint(tmp_path, {"ADMIN_PASSWORD": "another long password"}, "user") != one
