"""A process: parts that start in order and stop in the opposite one, from the first signal to exit code 0.

    await process.run([database, server, relay, consumer])

On SIGTERM or SIGINT the parts stop last to first: whoever takes in new work is listed last and ends first.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Sequence
from typing import Protocol

_LOG = logging.getLogger(__name__)


# Batches make many short-lived objects and no cycles: the collector may look more rarely than it does by default.
COLLECT = (20_000, 50, 1_000)


class Part(Protocol):
    """Something with a beginning and an end."""

    async def start(self) -> None:
        """Begin. Raising ends the process with an error."""

    async def stop(self) -> None:
        """Finish what is under way and end."""


def owner() -> str:
    """A name for this process that no other has: host, process id and a random part, for leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


async def run(parts: Sequence[Part]) -> None:
    """Start all, wait for SIGTERM or SIGINT, stop all. A part that cannot start stops those before it and raises."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    started: list[Part] = []
    try:
        for part in parts:
            await part.start()
            started.append(part)
        # What start-up made lives as long as the process: the collector need not visit it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        _LOG.info("started", extra={"parts": len(parts)})
        await stop.wait()
        _LOG.info("draining")
    finally:
        for part in reversed(started):
            await _stop(part)
    _LOG.info("stopped")


async def _stop(part: Part) -> None:
    try:
        await part.stop()
    except Exception:
        # The parts before it must still end; what this one left is repeated or taken over by others.
        _LOG.exception("part did not stop cleanly", extra={"part": type(part).__name__})
