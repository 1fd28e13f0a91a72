"""Sockets of connections to brokers that did not come about: closed at once.

kafka-python leaves them open until the garbage collector finds them, together with the error that names them. A process
that waits for its brokers keeps files that way, a connection to each broker and try.
"""

import socket
from typing import Any

from kafka.net.inet import KafkaNetSocket

# What chooses this class among those that the library knows, by the scheme of its option `proxy_url`. No proxy is meant.
DIRECTLY = "direct://"


class Closing(KafkaNetSocket):  # type: ignore[misc]  # the library has no types
    """A connection without a proxy, whose socket is closed when the broker can't be reached."""

    SCHEMES = ("direct",)

    async def sock_connect(self, net: Any, sock: socket.socket, sockaddr: Any, timeout_at: float | None = None) -> Any:
        """Connect the socket to the address. Raises what the library raises, without leaving the socket open."""
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise
