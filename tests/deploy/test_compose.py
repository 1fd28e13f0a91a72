"""docker-compose.yml offers the stack of the registry. There need be no Docker here: the file itself is judged."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.generate.compose import __main__ as compose
from scripts.generate.compose import document
from scripts.operate.development import readers, secrets
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
        [sys.executable, "-m", "scripts.generate.compose", "--check"], capture_output=True, text=True, check=False
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
    for name in ("MESH_KEY_FILE",):
        assert environment[name]
    assert ("KAFKA_BOOTSTRAP" in environment) == service.on_kafka
    assert ("REDIS_URL_FILE" in environment) == ("redis" in service.stores)
    assert ("SMTP_URL" in environment) == ("smtp" in service.outside)
    assert f"127.0.0.1:{service.port}" in block["healthcheck"]["test"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_enters_its_own_database_only(stack: dict[str, Any], service: registry.Service) -> None:
    urls = [name for name in stack["services"][service.name]["environment"] if "_DATABASE_URL" in name]
    own = [f"{service.name.upper()}_DATABASE_URL_FILE"] if "postgres" in service.stores else []
    assert urls == own


def test_a_container_sees_its_own_secrets_and_no_others(stack: dict[str, Any]) -> None:
    everything = {
        name
        for name, block in stack["services"].items()
        for mount in block.get("volumes", [])
        if mount.startswith("secrets:")
    }
    assert everything == {"secrets", "databases"}
    for name, block in stack["services"].items():
        if name not in everything:
            mounted = [volume for volume in block.get("volumes", []) if volume.startswith("secrets")]
            assert mounted in ([], [f"secrets-{name}:/secrets:ro"])


def test_every_secret_that_a_container_is_told_of_is_in_its_volume(stack: dict[str, Any]) -> None:
    given = readers.of(REGISTRY)
    for name, block in stack["services"].items():
        told = {str(value) for value in block.get("environment", {}).values() if str(value).startswith("/secrets/")}
        assert told <= {f"/secrets/{file}" for file in given.get(name, ())}, name
    assert "admin_password" in given["user"]
    assert not set(given["order"]) & {readers.SIGNING, "admin_password", "user_database_url", "redis_url"}


def test_redis_has_a_password_and_only_who_uses_it_knows_it(stack: dict[str, Any], tmp_path: Path) -> None:
    secrets.main(tmp_path / "all", tmp_path / "readers")
    settings_file = tmp_path / "readers" / "redis" / "redis.conf"
    [password] = re.findall(r"(?m)^requirepass (\S+)$", settings_file.read_text())
    assert stack["services"]["redis"]["command"] == ["redis-server", "/secrets/redis.conf"]
    knowing = {
        path.parent.name
        for path in (tmp_path / "readers").rglob("*")
        if path.is_file() and password in path.read_text()
    }
    assert knowing == {"redis", *(service.name for service in SERVICES if "redis" in service.stores)}


def test_secrets_are_made_once_and_closed_to_all_but_their_readers(tmp_path: Path) -> None:
    secrets.main(tmp_path / "all", tmp_path / "readers")
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    secrets.main(tmp_path / "all", tmp_path / "readers")
    assert made == {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    open_to_others = {path.parts[1] for path in made if (tmp_path / path).stat().st_mode & 0o077}
    assert open_to_others == {"postgres", "redis"}
    assert {path.parent.parts[-1] for path in made if path.suffix == ".pem"} == {"signing"}


def test_the_image_has_a_folder_for_each_volume_that_secrets_are_written_to(
    stack: dict[str, Any], tmp_path: Path
) -> None:
    readers.main(tmp_path)
    mounted = {volume.split(":")[1] for volume in stack["services"]["secrets"]["volumes"]} - {"/secrets"}
    assert mounted == {f"/readers/{path.name}" for path in tmp_path.iterdir()}
    dockerfile = (compose.FILE.parent / "services" / "Dockerfile").read_text()
    assert "RUN python -m scripts.operate.development.readers /readers && chown -R 10001:10001 /readers\n" in dockerfile


def test_who_signs_tokens_is_who_the_chart_says() -> None:
    values = yaml.safe_load((compose.FILE.parent / "helm" / "souk" / "values.yaml").read_text())
    signing = [
        name
        for name, block in values["services"].items()
        if any(secret["name"] == "signing" for secret in block.get("secrets", ()))
    ]
    assert signing == [readers.ACCOUNTS]


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
    assert read.stripe_api_key.current() == ("sk_test_123" if chosen else "")
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
