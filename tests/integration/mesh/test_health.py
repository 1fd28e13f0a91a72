"""The health of a process, as a kubelet's probes see it: a real process, real signals."""

import asyncio
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis import health
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc
from tests.support import calls, polling, ports, programs

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "user"

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
START_S = 30.0
# A kubelet asks over a new connection each time; this one is back as quickly.
AGAIN = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a user service whose brokers are away, which is no reason not to be ready."""
    return {
        "USER_LISTEN": ports.free_address(),
        "USER_DATABASE_URL": database_url,
        "USER_SIGNING_KEY_DIR": programs.signing_keys(tmp_path),
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "NOTIFICATION_ADDR": "127.0.0.1:1",
        "MESH_KEY": calls.MESH_KEY,
        "HEALTH_LISTEN": ports.free_address(),
    }


@pytest_asyncio.fixture
async def probe(environ: dict[str, str]) -> AsyncIterator["Probe"]:
    async with grpc.aio.insecure_channel(environ["HEALTH_LISTEN"], options=AGAIN) as channel:
        yield Probe(channel)


NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)


class Probe:
    """Asks as a kubelet does."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = health_pb2_grpc.HealthStub(channel)

    async def answer(self, name: str) -> Any:
        """The state of this name; None when nobody answers."""
        try:
            answer = await self._stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=1, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            # A server that ends while it is asked may answer CANCELLED.
            if error.code() in NO_ANSWER:
                return None
            raise
        return answer.status

    async def until(self, name: str, state: Any) -> None:
        """Wait until this name answers with this state."""

        async def answered() -> bool:
            return bool(await self.answer(name) == state)

        await polling.eventually(answered, within_s=START_S)


async def exit_code(program: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(program.wait, START_S)


@pytest.mark.parametrize("role", ["serve", "work", "all"])
async def test_a_process_is_ready_and_alive_in_every_role(environ: dict[str, str], probe: Probe, role: str) -> None:
    with programs.running(["user", "--role", role], environ) as program:
        await probe.until(health.READY, SERVING)
        assert await probe.answer(health.LIVE) == SERVING
        program.send_signal(signal.SIGTERM)
        assert await exit_code(program) == 0


async def test_a_draining_process_is_alive_and_not_ready_while_it_finishes_its_calls(
    environ: dict[str, str], probe: Probe
) -> None:
    with programs.running(["user", "--role", "serve"], environ) as program:
        await probe.until(health.READY, SERVING)
        async with (
            grpc.aio.insecure_channel(environ["USER_LISTEN"]) as channel,
            await psycopg.AsyncConnection.connect(environ["USER_DATABASE_URL"]) as locker,
        ):
            await locker.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
            call = user_service_pb2_grpc.UserServiceStub(channel).Register(registration(), timeout=20)
            await polling.eventually(lambda: waits_for_the_lock(environ["USER_DATABASE_URL"]))

            program.send_signal(signal.SIGTERM)
            await probe.until(health.READY, NOT_SERVING)

            assert await probe.answer(health.LIVE) == SERVING
            assert not call.done()
            await locker.rollback()
            assert (await call).access_token
        assert await exit_code(program) == 0


async def test_a_process_that_cannot_start_was_never_ready(environ: dict[str, str], probe: Probe) -> None:
    async with grpc_server_at(environ["USER_LISTEN"]):
        with programs.running(["user", "--role", "serve"], environ) as program:
            states = set()
            while program.poll() is None:
                states.add(await probe.answer(health.READY))
            assert SERVING not in states
            assert program.returncode == 2


async def test_the_health_port_says_nothing_of_anything_else(environ: dict[str, str], probe: Probe) -> None:
    with programs.running(["user", "--role", "work"], environ):
        await probe.until(health.READY, SERVING)
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await probe.answer("souk.user.v1.UserService")
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


class grpc_server_at:  # noqa: N801 - reads as a verb where it is used
    """Takes a port before the process does."""

    def __init__(self, address: str) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_insecure_port(address)

    async def __aenter__(self) -> None:
        await self._server.start()

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)


def registration() -> user_service_pb2.RegisterRequest:
    email = f"ann.{uuid.uuid4().hex}@example.com"
    return user_service_pb2.RegisterRequest(email=email, password="correct horse battery", display_name="Ann")


async def waits_for_the_lock(database_url: str) -> bool:
    query = (
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE NOT granted AND datname = current_database()"
    )
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row = await (await connection.execute(query)).fetchone()
    return bool(row and row[0])
