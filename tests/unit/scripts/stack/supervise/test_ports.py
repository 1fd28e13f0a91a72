import os
import socket
from collections.abc import Iterator

import pytest

from scripts.stack.supervise import ports, problems


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_reported_with_its_holder_and_the_variable_that_moves_it(taken: int) -> None:
    with pytest.raises(problems.StackError) as raised:
        ports.require_free(taken, part="edge", variable="EDGE_PORT")
    message = str(raised.value)
    assert f"port {taken}, which edge needs, is in use by" in message
    assert f"(pid {os.getpid()})" in message
    assert "EDGE_PORT=<port>" in message
    assert "\n" not in message


def test_a_port_with_connections_of_the_past_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            # The side that closes first keeps the connection in TIME_WAIT: the server's.
            server.accept()[0].close()
    ports.require_free(port, part="edge", variable="EDGE_PORT")


def test_who_listens_is_known(taken: int) -> None:
    assert ports.owns(os.getpid(), taken)
    assert not ports.owns(os.getpid(), taken + 1)
    assert ports.open_at("127.0.0.1", taken)
