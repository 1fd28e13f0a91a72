import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from scripts.bench import http1
from scripts.operate.mesh_certificates.authority import Authority

CREATED = b'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nContent-Length: 11\r\n\r\n{"id":"abc"}'[:-1]
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


@pytest.mark.parametrize("whole", [CREATED, CHUNKED])
def test_an_answer_is_read_only_when_it_is_whole(whole: bytes) -> None:
    assert all(http1.read(whole[:end]) is None for end in range(len(whole)))
    assert http1.read(whole) is not None


def test_an_answer_has_its_status_and_its_body() -> None:
    assert http1.read(CREATED) == http1.Answer(201, b'{"id":"abc"')


def test_a_chunked_answer_without_a_chunk_is_whole() -> None:
    answer = http1.read(b"HTTP/1.1 503 Unavailable\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
    assert answer is not None
    assert answer.status == 503


@pytest.mark.parametrize("nonsense", [b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\n", b"SSH-2.0\r\ncontent-length: 0\r\n\r\n"])
def test_what_is_no_answer_is_refused(nonsense: bytes) -> None:
    with pytest.raises(ValueError, match=r"answer|HTTP"):
        http1.read(nonsense)


class Echoing:
    """A server that answers each request with its path, a byte at a time if told so, or hangs up."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            path = head.split(b" ")[1]
            if path == b"/hang-up":
                break
            answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(path), path)
            for start in range(0, len(answer), 7):
                writer.write(answer[start : start + 7])
                await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.ended.set()

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
