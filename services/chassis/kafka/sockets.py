"""Sockets of connections to brokers that did not come about, for want of an answer or of trust: closed at once.

kafka-python leaves them open until the garbage collector finds them, together with the error that names them. A process
that waits for its brokers keeps files that way, a connection to each broker and try.

It also drops what it reads together with the end of a connection. A broker that refuses a login says so and closes: whoever
reads late would never learn why.
"""

import socket
import ssl
from dataclasses import dataclass
from typing import Any

from kafka.net.inet import KafkaNetSocket

# What chooses this class among those that the library knows, by the scheme of its option `proxy_url`. No proxy is meant.
DIRECTLY = "direct://"


class _Socket(socket.socket):
    """A socket whose end is read apart from what comes before it."""

    # What the library takes for "nothing more to read now".
    _nothing_more: type[OSError] = BlockingIOError
    _end_may_follow = False

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """What there is to read; b"" at the end. An end right behind data is, once, nothing more to read now."""
        data = super().recv(buflen, flags)
        at_once, self._end_may_follow = self._end_may_follow, bool(data)
        if not data and at_once:
            raise self._nothing_more
        return data


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

    def socket(self, family: int, sock_type: int, proto: int) -> socket.socket:
        """A socket that does not connect yet."""
        return _Socket(family, sock_type, proto)


class _TlsSocket(_Socket, ssl.SSLSocket):
    """The same with TLS. It is closed when its handshake fails."""

    _nothing_more = ssl.SSLWantReadError

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the standard library
        """Shake hands, as far as it goes without waiting. Raises what the standard library raises."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Tls:
    """What the library asks for a TLS socket, in the place of an `ssl.SSLContext`.

    The certificates of `ca_file` (empty: those of the system) are read for each connection: they may have been renewed.
    """

    ca_file: str = ""

    def wrap_socket(self, sock: socket.socket, **options: Any) -> ssl.SSLSocket:
        """The socket with TLS. Raises OSError, and closes the socket, when the certificates cannot be read."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except BaseException:
            sock.close()
            raise
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslsocket_class = _TlsSocket
        return context.wrap_socket(sock, **options)
