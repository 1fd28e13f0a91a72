"""Ends an edge without breaking a request: no new connections, and a moment for the requests that it has."""

import contextlib
import json
import time
from http.client import HTTPConnection, HTTPException

from gateway.settings import Address

TIMEOUT_S = 2.0


def drain(admin: Address, *, within_s: float) -> None:
    """Let the Envoy with this admin interface finish its requests, for so many seconds at most. Never raises."""
    with contextlib.suppress(OSError, HTTPException, ValueError):
        _ask(admin, "POST", "/drain_listeners?graceful")
        until = time.monotonic() + within_s
        while time.monotonic() < until and _active_requests(admin):
            time.sleep(0.05)


def _active_requests(admin: Address) -> int:
    answer = json.loads(_ask(admin, "GET", "/stats?format=json&filter=http.*downstream_rq_active"))
    return sum(stat["value"] for stat in answer["stats"] if "admin" not in stat.get("name", ""))


def _ask(admin: Address, method: str, path: str) -> bytes:
    connection = HTTPConnection(admin.host, admin.port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request(method, path)
        return connection.getresponse().read()
