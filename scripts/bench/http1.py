"""One HTTP/1.1 connection that asks and waits, as cheaply as Python can: the generator shares its cores with the shop.

It knows only what an edge answers to JSON calls: a status, a length or chunks, a body.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Self, cast

_END_OF_HEAD = b"\r\n\r\n"
_END_OF_CHUNKS = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer and its body. A chunked body still has its chunk sizes in it."""

    status: int
    body: bytes


def read(received: bytes) -> Answer | None:
    """The answer that these bytes hold, None while it is not whole. Raises ValueError for what is no answer."""
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return None
    body = received[end + 4 :]
    head = received[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        return Answer(_status(head), body[:length]) if len(body) >= length else None
    if b"\r\ntransfer-encoding: chunked" not in head:
        raise ValueError("an answer without a length")
    return Answer(_status(head), body) if received.endswith(_END_OF_CHUNKS) else None


def _status(head: bytes) -> int:
    if not head.startswith(b"http/1.1 "):
        raise ValueError("not HTTP/1.1")
    return int(head[9:12])


class Connection(asyncio.Protocol):
    """A connection that is kept alive and carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, host: str, port: int, *, secure: bool = False) -> Self:
        """Connect; `secure` by TLS, to a server that this machine trusts. Raises OSError."""
        tls = ssl.create_default_context() if secure else None
        _, protocol = await asyncio.get_running_loop().create_connection(cls, host, port, ssl=tls)
        return protocol

    @property
    def usable(self) -> bool:
        """Whether the other side has not closed it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request and wait for its answer. Raises OSError when the connection breaks before that."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("closed")
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        # uvloop's transports are none of asyncio's classes, though they do all that those do.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self._received += data
        if self._answer is None or self._answer.done():
            return
        try:
            answer = read(self._received)
        except ValueError as error:
            self._fail(ConnectionAbortedError(str(error)))
            self.close()
            return
        if answer is not None:
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        self._transport = None
        self._fail(ConnectionResetError(str(exc or "closed by the other side")))

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
