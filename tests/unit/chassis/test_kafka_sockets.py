"""A connection to a broker that does not come about leaves no socket open, and its last words are read."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.operate.mesh_certificates import authority
from services.chassis.kafka import sockets


@pytest.fixture
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        with theirs:
            yield ours, theirs


def test_a_handshake_that_fails_closes_its_socket(connected: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = connected
    tls = sockets.Tls().wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False)
    theirs.close()
    with pytest.raises(OSError, match=r"EOF|reset"):
        tls.do_handshake()
    assert tls.fileno() == -1


def test_a_handshake_that_waits_for_the_broker_goes_on(connected: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = connected
    with sockets.Tls().wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False) as tls:
        tls.settimeout(0)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        assert tls.fileno() != -1


def test_certificates_that_cannot_be_read_close_the_socket(
    connected: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    ours, _ = connected
    with pytest.raises(OSError, match="No such file"):
        sockets.Tls(str(tmp_path / "missing.crt")).wrap_socket(ours, server_hostname="localhost")
    assert ours.fileno() == -1


def test_what_a_broker_says_before_it_closes_is_read_before_the_end(
    connected: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    ours, theirs = connected
    broker = threading.Thread(target=refusing, args=(theirs, tmp_path))
    broker.start()
    tls = sockets.Tls(str(tmp_path / "ca.crt"))
    while not (tmp_path / "ca.crt").exists():
        assert broker.is_alive()
    with tls.wrap_socket(ours, server_hostname="localhost") as reader:
        broker.join()
        # Both are there now. The library reads on until nothing is left, and forgets it all when it reads the end.
        reader.settimeout(0)
        assert reader.recv(4096) == b"refused"
        with pytest.raises(ssl.SSLWantReadError):
            reader.recv(4096)
        assert select.select([reader], [], [], 5)[0], "it is asked to read again"
        assert reader.recv(4096) == b""


def test_what_it_says_without_tls_is_read_before_the_end() -> None:
    unconnected = sockets.Closing(sockets.DIRECTLY).socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    with socket.create_server(("127.0.0.1", 0)) as server, unconnected as reader:
        reader.connect(server.getsockname())
        theirs, _ = server.accept()
        with theirs:
            theirs.sendall(b"refused")
        reader.settimeout(0)
        assert select.select([reader], [], [], 5)[0]
        assert reader.recv(4096) == b"refused"
        assert select.select([reader], [], [], 5)[0], "the end is there"
        with pytest.raises(BlockingIOError):
            reader.recv(4096)
        assert reader.recv(4096) == b""


def refusing(connection: socket.socket, folder: Path) -> None:
    """A broker that says why and closes."""
    made = authority.Authority.made(authority.now())
    pair = made.issue("kafka", ["localhost"], authority.now())
    (folder / "keystore.pem").write_bytes(pair.key + pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "keystore.pem")
    (folder / "made.crt").write_bytes(made.pair.certificate)
    (folder / "made.crt").rename(folder / "ca.crt")
    with context.wrap_socket(connection, server_side=True) as said:
        said.sendall(b"refused")
