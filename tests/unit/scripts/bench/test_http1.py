import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from scripts.bench import http1
from scripts.operate.mesh_certificates.authority import Authority


class Echoing:
    """A server that answers each request with its path, some bytes at a time; in chunks, with nonsense or not at all if asked."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            path = head.split(b" ")[1]
            if path == b"/hang-up":
                break
            answer = self._answer(path)
            for start in range(0, len(answer), 7):
                writer.write(answer[start : start + 7])
                await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.ended.set()

    def _answer(self, path: bytes) -> bytes:
        if path == b"/nonsense":
            return b"SSH-2.0\r\ncontent-length: 0\r\n\r\n"
        if path == b"/chunks":
            return b"HTTP/1.1 503 Away\r\ntransfer-encoding: chunked\r\n\r\n2\r\n/c\r\n5\r\nhunks\r\n0\r\n\r\n"
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(path), path)

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""


@pytest_asyncio.fixture
async def connection() -> AsyncIterator[http1.Connection]:
    echoing = Echoing()
    server = await asyncio.start_server(echoing.serve, "127.0.0.1", 0)
    async with server:
        made = await http1.Connection.open("127.0.0.1", server.sockets[0].getsockname()[1])
        yield made
        made.close()
        await echoing.ended.wait()


async def test_one_connection_carries_many_requests(connection: http1.Connection) -> None:
    for number in range(3):
        answer = await connection.ask(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % number)
        assert answer == http1.Answer(200, b"/%d" % number)
    assert connection.usable


async def test_an_answer_in_chunks_is_one_body(connection: http1.Connection) -> None:
    for _ in range(2):
        assert await connection.ask(b"GET /chunks HTTP/1.1\r\nhost: x\r\n\r\n") == http1.Answer(503, b"/chunks")


async def test_what_is_no_answer_closes_the_connection(connection: http1.Connection) -> None:
    with pytest.raises(ConnectionAbortedError):
        await connection.ask(b"GET /nonsense HTTP/1.1\r\nhost: x\r\n\r\n")
    assert not connection.usable


async def test_a_connection_that_breaks_before_its_answer_says_so(connection: http1.Connection) -> None:
    with pytest.raises(ConnectionResetError):
        await connection.ask(b"GET /hang-up HTTP/1.1\r\nhost: x\r\n\r\n")
    assert not connection.usable
    with pytest.raises(ConnectionResetError):
        await connection.ask(b"GET /again HTTP/1.1\r\nhost: x\r\n\r\n")


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS at `localhost`, and the file of the authority behind it."""
    authority = Authority.made(dt.datetime.now(dt.UTC))
    pair = authority.issue("edge", ["localhost"], dt.datetime.now(dt.UTC))
    files = {name: tmp_path / name for name in ("tls.crt", "tls.key", "ca.crt")}
    for name, content in (("tls.crt", pair.certificate), ("tls.key", pair.key), ("ca.crt", authority.pair.certificate)):
        files[name].write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["tls.crt"], files["tls.key"])
    return context, files["ca.crt"]


async def test_a_secure_connection_asks_only_servers_that_this_machine_trusts(
    certified: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certified
    server = await asyncio.start_server(Echoing().serve, "localhost", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            await http1.Connection.open("localhost", port, secure=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        connection = await http1.Connection.open("localhost", port, secure=True)
        assert await connection.ask(b"GET /safe HTTP/1.1\r\nhost: x\r\n\r\n") == http1.Answer(200, b"/safe")
        connection.close()
