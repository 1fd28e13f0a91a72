"""The images, built and run: what they say of themselves, and that they run without root, without writing, without a shell."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from scripts.release.build import building
from scripts.stack import down
from scripts.stack.servers import postgres as local_postgres
from scripts.stack.supervise import progress
from services import registry
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc
from tests.deploy.images import container
from tests.support import calls, polling, ports, postgres, programs, servers

SERVING = health_pb2.HealthCheckResponse.SERVING
START_S = 60.0
REVISION = '{{index .Docker.Config.Labels "org.opencontainers.image.revision"}}'
Figures = dict[str, dict[str, float]]


@pytest.fixture(params=["services", "edge", "tools", "simulators"])
def image(request: pytest.FixtureRequest) -> container.Image:
    opened: container.Image = request.getfixturevalue(request.param)
    return opened


def test_an_image_says_its_version_its_revision_and_a_user_that_is_not_root(image: container.Image) -> None:
    labels = image.configuration["Labels"]
    assert labels["org.opencontainers.image.version"] == "local"
    assert labels["org.opencontainers.image.revision"] == building.version().revision
    assert image.configuration["User"] == container.USER


def test_an_image_of_files_that_did_not_change_says_the_commit_it_is_built_of(buildah: building.Buildah) -> None:
    for revision in ("0" * 40, "1" * 40):
        buildah.build(building.IMAGES[0], building.Version("labelled", revision))
        assert buildah.ask("inspect", "--format", REVISION, "souk/services:labelled") == revision


def test_an_image_keeps_nothing_of_the_machine_that_built_it(image: container.Image) -> None:
    assert not [name for name in image.environment if name.startswith(("PIP_", "REQUESTS_", "HTTP"))]
    assert not any((image.files / "souk" / name).exists() for name in (".git", ".venv", "tests", ".souk/stacks"))


def test_an_image_has_no_compiler_of_stubs(image: container.Image) -> None:
    code, _ = image.answer(["python", "-c", "import grpc_tools"])
    assert code == 1


@pytest.mark.parametrize("name", ["services", "edge"])
def test_what_serves_has_a_health_check(name: str, request: pytest.FixtureRequest) -> None:
    checked: container.Image = request.getfixturevalue(name)
    assert checked.configuration["Healthcheck"]["Test"][0] == "CMD", "a shell is not there to run it"


def test_nothing_but_tmp_can_be_written(services: container.Image) -> None:
    refused = services.answer(["python", "-c", "open('/souk/services/x', 'w')"])
    taken = services.answer(["python", "-c", "open('/tmp/x', 'w')"])
    assert (refused[0], "Read-only file system" in refused[1], taken[0]) == (1, True, 0)


def test_every_service_can_be_imported(services: container.Image) -> None:
    names = ", ".join(f"services.{name}.main" for name in registry.load().services)
    assert services.answer(["python", "-c", f"import {names}"]) == (0, "")


def test_tools_bring_what_hooks_need_in_the_versions_of_the_services(
    tools: container.Image, services: container.Image
) -> None:
    ours = ("mesh_certificates.secrets", "first_order", "development.databases")
    modules = ", ".join(["kubernetes", "httpx", *(f"scripts.operate.{name}" for name in ours)])
    assert tools.answer(["python", "-c", f"import {modules}"]) == (0, "")
    say = ["python", "-c", "import importlib.metadata as m; print(m.version('urllib3'), m.version('pyyaml'))"]
    assert tools.answer(say) == services.answer(say)


def test_simulators_can_be_imported(simulators: container.Image) -> None:
    modules = "scripts.simulators.mail, scripts.simulators.provider"
    assert simulators.answer(["python", "-c", f"import {modules}"]) == (0, "")


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with postgres.empty_database(servers.postgres_admin_url(), "user") as url:
        yield url
    if "POSTGRES_ADMIN_URL" not in os.environ:
        # Nobody else stops the server that these tests started for themselves.
        down.stop(servers.STACK, (local_postgres.NAME,), progress.Silent())


@pytest.fixture
def signing_keys(tmp_path: Path) -> Path:
    """A folder of keys that the image's user may read."""
    folder = Path(programs.signing_keys(tmp_path))
    folder.chmod(0o755)
    for key in folder.iterdir():
        key.chmod(0o644)
    return folder


async def test_a_service_migrates_serves_and_drains(
    services: container.Image, database_url: str, signing_keys: Path, figures: Figures
) -> None:
    environment = {"USER_DATABASE_URL": database_url}
    assert services.answer(["python", "-m", "services", "migrate", "user"], environment)[0] == 0
    environment |= {
        "USER_LISTEN": ports.free_address(),
        "HEALTH_LISTEN": ports.free_address(),
        "USER_SIGNING_KEY_DIR": "/secrets",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",  # away, which is no reason not to serve
        "NOTIFICATION_ADDR": "127.0.0.1:1",
        "MESH_KEY": calls.MESH_KEY,
    }
    entry = services.configuration["Entrypoint"]
    started = time.monotonic()
    with services.running([*entry, "user"], environment, files={signing_keys: "/secrets"}) as process:
        await _until_ready(environment["HEALTH_LISTEN"])
        seconds = time.monotonic() - started
        async with grpc.aio.insecure_channel(environment["USER_LISTEN"]) as channel:
            stub: Any = user_service_pb2_grpc.UserServiceStub(channel)
            answer = await stub.GetJwks(user_service_pb2.GetJwksRequest(), timeout=10)
        check = ["python", "-m", "scripts.operate.grpc_health", environment["HEALTH_LISTEN"]]
        healthy = await asyncio.to_thread(services.answer, check)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 60) == 0
    assert len(answer.keys) == 1
    assert healthy[0] == 0
    figures["services"] = {"megabytes": services.megabytes, "seconds_to_ready": round(seconds, 2)}


def test_the_edge_makes_its_configuration_serves_and_drains(edge: container.Image, figures: Figures) -> None:
    listen, admin = ports.free_address(), ports.free_address()
    # Nobody is behind it: it lives all the same.
    behind = {f"{name.upper()}_ADDR": "127.0.0.1:1" for name in registry.load().services}
    environment = {**behind, "EDGE_LISTEN": listen, "EDGE_ADMIN_LISTEN": admin}
    started = time.monotonic()
    with edge.running(edge.configuration["Entrypoint"], environment) as process:
        programs.until_alive(listen, process, within_s=START_S)
        seconds = time.monotonic() - started
        assert programs.status(listen, "/openapi.json") == 200
        assert programs.status(listen, "/api/v1/products") == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert programs.status(listen, "/livez") == 0
    figures["edge"] = {"megabytes": edge.megabytes, "seconds_to_ready": round(seconds, 2)}


def test_an_edge_that_is_told_nonsense_says_so_and_ends(edge: container.Image) -> None:
    code, said = edge.answer(edge.configuration["Entrypoint"], {"EDGE_LISTEN": "nowhere"})
    assert code == 1
    assert "EDGE_LISTEN" in said
    assert "ORDER_ADDR" in said


async def _until_ready(address: str) -> None:
    async with grpc.aio.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 100)]) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)

        async def ready() -> bool:
            try:
                return bool((await stub.Check(health_pb2.HealthCheckRequest(), timeout=1)).status == SERVING)
            except grpc.aio.AioRpcError:
                return False

        await polling.eventually(ready, within_s=START_S)
