"""Who listens on a port. A port that answers is not yet the right server: ask whose it is before trusting it."""

import contextlib
import socket
import time
from typing import Any

import psutil

from scripts.stack.supervise import places, problems

# A process that has just ended may hold its ports a moment longer, until the last of its threads is gone.
LETTING_GO_S = 2.0


def require_free(port: int, *, part: str, variable: str) -> None:
    """Raise a StackError that names who has the port and which variable moves it, unless the port can be had."""
    until = time.monotonic() + LETTING_GO_S
    while error := _refusal(port):
        if isinstance(error, PermissionError):
            raise problems.StackError(
                f"{part} may not listen on port {port}, which is root's: choose one above 1023 with {variable}=<port>"
            )
        owner = holder(port)
        if owner or time.monotonic() > until:
            raise problems.StackError(
                f"port {port}, which {part} needs, is in use by {_name(owner)}: "
                f"stop that, or choose another port with {variable}=<port>"
            )
        time.sleep(0.05)


def holder(port: int) -> psutil.Process | None:
    """The process that listens on a loopback port, as far as this user may know."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.pid and _listens_at(connection, port):
                return psutil.Process(connection.pid)
    return None


def owns(pid: int, port: int) -> bool:
    """Tell whether the process, or a child of it, listens on the port."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return any(_listens(member, port) for member in (process, *process.children(recursive=True)))
    return False


def open_at(host: str, port: int, *, timeout: float = 1.0) -> bool:
    """Tell whether anything accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def _refusal(port: int) -> OSError | None:
    with socket.socket() as probe:
        # As servers do: a connection of the past in TIME_WAIT does not make the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((places.HOST, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _listens(process: psutil.Process, port: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(_listens_at(connection, port) for connection in process.net_connections(kind="tcp"))
    return False


def _listens_at(connection: Any, port: int) -> bool:
    return connection.status == psutil.CONN_LISTEN and bool(connection.laddr) and connection.laddr.port == port


def _name(process: psutil.Process | None) -> str:
    if process is None:
        return "another user's process"
    with contextlib.suppress(psutil.Error):
        return f"{process.name()} (pid {process.pid})"
    return f"pid {process.pid}"
