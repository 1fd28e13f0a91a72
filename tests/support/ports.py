"""Ports for servers that a test starts.

They lie below those that the system gives to outgoing connections (32768 and up on Linux): of these, one that was free a
moment ago may be a connection's before the server listens. Below are the local stack's and the clusters' own.
"""

import random
import socket

HOST = "127.0.0.1"
_RANGE = range(30_000, 32_000)


def free() -> int:
    """A port of the loopback that nobody listens on. Which one is drawn, so processes that ask at once rarely agree."""
    while True:
        port = random.choice(_RANGE)  # noqa: S311 - no secret
        with socket.socket() as probe:
            # As servers do: a connection of the past in TIME_WAIT does not make the port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen(1)
            except OSError:
                continue
            return port


def free_address() -> str:
    """The same as host:port."""
    return f"{HOST}:{free()}"
