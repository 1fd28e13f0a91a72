"""How the simulators begin and end: they read `HOST:PORT`, give up with one clear line, and stop on a signal."""

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Address:
    """Where a simulator listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read `HOST:PORT`; an empty host means loopback. Raises what argparse reports to the user."""
    host, separator, port = text.rpartition(":")
    if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8071")
    return Address(host or "127.0.0.1", int(port))


async def until_told_to_stop() -> None:
    """Wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def give_up(reason: str) -> NoReturn:
    """End the process with exit code 1 and one line on standard error."""
    print(reason, file=sys.stderr)
    sys.exit(1)
