"""Ends an edge without breaking a request: whoever keeps a connection is told to open another, at another edge.

A client that keeps its connection sends its next request whenever it likes, also in the moment in which the edge closes
the connection: such a request fails, and not every request may be repeated. So each answer of an edge that drains says
that the connection ends with it (`Connection: close`, or GOAWAY with HTTP/2), and the edge stays until nobody is
connected, or until only those are who asked for nothing in a while.
"""

import contextlib
import json
import time
from http.client import HTTPConnection, HTTPException

from gateway.settings import Address

# What Envoy is started with, so that it tells every client with the next answer. By default it tells some of them, more
# and more over ten minutes.
OPTIONS = ("--drain-strategy", "immediate")
# A connection that was not used for so long, in seconds, is closed without a word, as after any server's idle timeout.
UNUSED_S = 5.0
TIMEOUT_S = 2.0
POLL_S = 0.05


def drain(admin: Address, *, within_s: float) -> None:
    """Let the clients of the Envoy with this admin interface leave, for so many seconds at most. Never raises."""
    with contextlib.suppress(OSError, HTTPException, ValueError):
        _ask(admin, "POST", "/drain_listeners?graceful")
        began = time.monotonic()
        while (lasted := time.monotonic() - began) < within_s:
            # Every answer since has ended its connection: one that is still there was not used, or waits for its answer.
            if not _active(admin, "cx" if lasted < UNUSED_S else "rq"):
                return
            time.sleep(POLL_S)


def _active(admin: Address, what: str) -> int:
    """How many connections (cx) or requests (rq) of clients there are."""
    answer = json.loads(_ask(admin, "GET", f"/stats?format=json&filter=^http.*downstream_{what}_active$"))
    return sum(stat["value"] for stat in answer["stats"] if "admin" not in stat.get("name", ""))


def _ask(admin: Address, method: str, path: str) -> bytes:
    connection = HTTPConnection(admin.host, admin.port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request(method, path)
        return connection.getresponse().read()
