"""docker-compose.yml offers the stack of the registry. There need be no Docker here: the file itself is judged."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.compose import __main__ as compose
from scripts.compose import document
from services import registry
from services.chassis import settings
from services.payment import settings as payment

REGISTRY = registry.load()
SERVICES = list(REGISTRY.services.values())
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(compose.FILE.read_text())
    return content


def test_the_file_is_what_the_registry_says() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "scripts.compose", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_service_more_in_the_registry_makes_the_file_outdated() -> None:
    more = registry.Service("imaginary", 50099, 9499, stores=("redis",))
    grown = registry.Registry({**REGISTRY.services, more.name: more}, REGISTRY.topics)
    rendered = yaml.safe_load(document.render(grown))["services"]
    assert rendered != yaml.safe_load(compose.FILE.read_text())["services"]
    own = rendered["imaginary"]
    assert set(own["depends_on"]) == {"secrets", "redis"}
    assert own["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert {"KAFKA_BOOTSTRAP", "IMAGINARY_DATABASE_URL_FILE", "SMTP_URL"}.isdisjoint(own["environment"])
    assert rendered["order"]["environment"]["IMAGINARY_ADDR"] == "imaginary:50099"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_is_there_with_all_it_needs(stack: dict[str, Any], service: registry.Service) -> None:
    block = stack["services"][service.name]
    environment = block["environment"]
    assert block["command"] == [service.name]
    assert environment[f"{service.name.upper()}_LISTEN"] == f"0.0.0.0:{service.port}"
    assert environment["METRICS_LISTEN"] == f"0.0.0.0:{service.metrics_port}"
    for other in SERVICES:
        assert environment[f"{other.name.upper()}_ADDR"] == f"{other.name}:{other.port}"
    for name in ("MESH_KEY_FILE", "USER_SIGNING_KEY_DIR", "ADMIN_EMAIL"):
        assert environment[name]
    assert ("KAFKA_BOOTSTRAP" in environment) == service.on_kafka
    assert ("REDIS_URL" in environment) == ("redis" in service.stores)
    assert ("SMTP_URL" in environment) == ("smtp" in service.outside)
    assert f"127.0.0.1:{service.port}" in block["healthcheck"]["test"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_enters_its_own_database_only(stack: dict[str, Any], service: registry.Service) -> None:
    urls = [name for name in stack["services"][service.name]["environment"] if "_DATABASE_URL" in name]
    own = [f"{service.name.upper()}_DATABASE_URL_FILE"] if "postgres" in service.stores else []
    assert urls == own


def test_every_image_is_official_or_built_here_and_of_a_named_version(stack: dict[str, Any]) -> None:
    official = {"postgres", "redis", "apache/kafka", "envoyproxy/envoy"}
    for name, block in stack["services"].items():
        image, _, tag = block["image"].partition(":")
        if "build" in block:
            assert image.startswith("souk/"), name
        else:
            assert image in official, name
            assert re.match(r"v?\d+\.\d+\.?\d*", tag), f"{name} floats: {block['image']}"


def test_whatever_is_waited_for_exists_and_can_come_true(stack: dict[str, Any]) -> None:
    for name, block in stack["services"].items():
        for other, wanted in block.get("depends_on", {}).items():
            awaited = stack["services"][other]
            assert wanted["condition"] in CONDITIONS
            if wanted["condition"] == "service_healthy":
                assert awaited["healthcheck"]["test"], f"{name} waits for the health of {other}, which has no check"
            if wanted["condition"] == "service_completed_successfully":
                assert awaited["restart"] == "on-failure", f"{name} waits for the end of {other}, which never ends"


def test_nothing_waits_for_itself(stack: dict[str, Any]) -> None:
    waits = {name: set(block.get("depends_on", {})) for name, block in stack["services"].items()}
    while free := [name for name, others in waits.items() if not others]:
        for name in free:
            del waits[name]
        waits = {name: others - set(free) for name, others in waits.items()}
    assert waits == {}


def test_only_the_edge_is_published_and_only_on_loopback(stack: dict[str, Any]) -> None:
    published = {name: block["ports"] for name, block in stack["services"].items() if "ports" in block}
    assert published == {"edge": ["127.0.0.1:${EDGE_PORT:-8080}:8080"]}


def test_no_secret_stands_in_the_file(stack: dict[str, Any]) -> None:
    for block in stack["services"].values():
        for name, value in block.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY", name):
                assert str(value).startswith(("/secrets/", "/run/")), name
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), name


def test_stripe_is_asked_when_the_user_says_so_and_only_payment_reads_its_key(stack: dict[str, Any]) -> None:
    told = {name: block for name, block in stack["services"].items() if "STRIPE" in str(block)}
    assert list(told) == ["payment"]
    environment = told["payment"]["environment"]
    assert environment["PAYMENT_PROVIDER"] == "${PAYMENT_PROVIDER:-simulator}"
    assert environment["STRIPE_API_BASE"] == "${STRIPE_API_BASE:-https://api.stripe.com}"
    [mounted] = [volume for volume in told["payment"]["volumes"] if "STRIPE" in volume]
    assert mounted == f"${{STRIPE_API_KEY_FILE:-/dev/null}}:{environment['STRIPE_API_KEY_FILE']}:ro"


@pytest.mark.parametrize("chosen", [{}, {"PAYMENT_PROVIDER": "stripe", "STRIPE_API_BASE": "http://mock:12111"}])
def test_the_payment_service_understands_what_the_file_tells_it(
    stack: dict[str, Any], chosen: dict[str, str], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("sk_test_123\n" if chosen else "")
    told = {
        name: re.sub(r"\$\{(\w+):-(.*?)\}", lambda match: chosen.get(match[1], match[2]), value)
        for name, value in stack["services"]["payment"]["environment"].items()
    } | {"STRIPE_API_KEY_FILE": str(key)}
    read = settings.read(payment.Settings, told)
    assert read.provider == chosen.get("PAYMENT_PROVIDER", "simulator")
    assert read.stripe_api_key == ("sk_test_123" if chosen else "")
    assert read.stripe_api_base == chosen.get("STRIPE_API_BASE", "https://api.stripe.com")


def test_our_own_containers_are_confined(stack: dict[str, Any]) -> None:
    for name, block in stack["services"].items():
        if "build" in block:
            assert block["read_only"], name
            assert block["cap_drop"] == ["ALL"], name


def test_volumes_are_declared(stack: dict[str, Any]) -> None:
    volumes = [volume for block in stack["services"].values() for volume in block.get("volumes", [])]
    # The rest are files of the user's, named by a variable.
    mounted = {volume.split(":")[0] for volume in volumes if not volume.startswith("$")}
    assert mounted == set(stack["volumes"])
