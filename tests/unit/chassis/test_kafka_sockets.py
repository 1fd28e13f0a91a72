"""A connection to a broker that does not come about leaves no socket open."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

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
