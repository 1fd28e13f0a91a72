"""A small HTTP server on loopback that answers as a test says and remembers what it was asked."""

import http.server
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, Any]


@dataclass(slots=True)
class Asked:
    """One request: its path, its query and its JSON body."""

    path: str
    query: dict[str, str]
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Loopback:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Loopback]:
    """A server that answers every request with the status and the JSON that `answer` gives."""
    told = Loopback()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def do_PATCH(self) -> None:
            self.do_POST()

        def _answer(self, body: Any) -> None:
            sent = {name.lower(): value for name, value in self.headers.items()}
            parts = urllib.parse.urlsplit(self.path)
            told.asked.append(Asked(parts.path, dict(urllib.parse.parse_qsl(parts.query)), body, sent))
            status, content = answer(told.asked[-1])
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
