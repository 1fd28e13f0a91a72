"""Ports for servers that a test starts.

They lie below those that the system gives to outgoing connections (32768 and up on Linux): of these, one that was free a
moment ago may be a connection's before the server listens. Below are the local stack's and the clusters' own.

A port is handed out long before somebody listens on it, so being free is not enough: each process of a test run has a
share of its own, and hands out all of it before any port comes again.
"""

import functools
import itertools
import os
import random
import socket
from collections.abc import Iterator, Mapping

HOST = "127.0.0.1"
_RANGE = range(30_000, 32_000)


def free() -> int:
    """A port of the loopback that nobody listens on, and that this process has not handed out for a long time."""
    return next(port for port in _turns() if _is_free(port))


def free_address() -> str:
    """The same as host:port."""
    return f"{HOST}:{free()}"


def share(environment: Mapping[str, str]) -> range:
    """The ports of one process of a test run, which pytest-xdist numbers: those of two processes have none in common."""
    worker = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return _RANGE[worker :: int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))]


@functools.cache
def _turns() -> Iterator[int]:
    """This process's ports, round and round; where it begins is drawn, for another run may go on beside it."""
    ports = share(os.environ)
    start = random.randrange(len(ports))  # noqa: S311 - no secret
    return itertools.cycle([*ports[start:], *ports[:start]])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a connection of the past in TIME_WAIT does not make the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
