"""An edge that is told to end: it says so on the connections that clients keep, before it closes them."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway import draining
from services import registry
from tests.support import ports, programs

START_S = 20.0
# It waits for connections that nobody uses for so long at least, and not much longer.
END_S = draining.UNUSED_S + 5.0

Edge = tuple[str, "subprocess.Popen[bytes]"]


@contextmanager
def _serving(folder: Path) -> Iterator[Edge]:
    """The edge as its image runs it, before services that nobody started."""
    listen = ports.free_address()
    behind = {f"{name.upper()}_ADDR": "127.0.0.1:1" for name in registry.load().services}
    own = {"EDGE_LISTEN": listen, "EDGE_ADMIN_LISTEN": ports.free_address(), "EDGE_FOLDER": str(folder)}
    command = [sys.executable, "-m", "gateway.serve"]
    with subprocess.Popen(command, cwd=programs.ROOT, env={**os.environ, **behind, **own}) as process:  # noqa: S603 - our own
        try:
            programs.until_alive(listen, process, within_s=START_S)
            yield listen, process
        finally:
            process.terminate()


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    with _serving(tmp_path) as serving:
        yield serving


def _asked(kept: http.client.HTTPConnection) -> http.client.HTTPResponse:
    kept.request("GET", "/livez")
    answer = kept.getresponse()
    answer.read()
    return answer


def test_a_client_that_keeps_its_connection_is_answered_and_told_to_open_another(edge: Edge) -> None:
    address, process = edge
    with closing(http.client.HTTPConnection(address, timeout=5)) as kept:
        assert _asked(kept).getheader("connection") is None
        process.send_signal(signal.SIGTERM)
        # Between two requests of a client nothing is under way: an edge that looked at requests alone would be gone.
        time.sleep(1)
        answer = _asked(kept)
    assert (answer.status, answer.getheader("connection")) == (200, "close")
    assert process.wait(END_S) == 0


def test_an_edge_without_connections_ends_at_once(edge: Edge) -> None:
    _, process = edge
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(END_S) == 0
    assert time.monotonic() - told < draining.UNUSED_S


def test_a_connection_that_nobody_uses_does_not_hold_the_edge(edge: Edge) -> None:
    address, process = edge
    with closing(http.client.HTTPConnection(address, timeout=5)) as kept:
        assert _asked(kept).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0
