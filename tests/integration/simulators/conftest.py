"""Runs the simulators as the processes they are, each with a port and a folder of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest_asyncio

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 15


@dataclass
class Simulator:
    """One simulator's process."""

    module: str
    arguments: list[str]
    process: asyncio.subprocess.Process | None = field(default=None)
    address: str = ""

    async def start(self) -> None:
        """Start it and wait until it says where it listens."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self.module, *self.arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)
        self.address = line.decode().rpartition("://")[2].strip()
        assert self.address

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal and answer with its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            os.kill(self.process.pid, number)
        return await asyncio.wait_for(self.process.wait(), START_SECONDS)


@pytest_asyncio.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Simulator]:
    """A running payment provider; its log lies in `tmp_path`."""
    simulator = Simulator("scripts.simulators.provider", ["--listen", "127.0.0.1:0", "--state", str(tmp_path)])
    await simulator.start()
    yield simulator
    await simulator.end()


@pytest_asyncio.fixture
async def http(provider: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running payment provider."""
    async with httpx.AsyncClient(base_url=f"http://{provider.address}", timeout=20) as client:
        yield client


@pytest_asyncio.fixture
async def mail_server(tmp_path: Path) -> AsyncIterator[Simulator]:
    """A running mail server; its store is `tmp_path`."""
    simulator = Simulator("scripts.simulators.mail", ["--listen", "127.0.0.1:0", "--store", str(tmp_path)])
    await simulator.start()
    yield simulator
    await simulator.end()
