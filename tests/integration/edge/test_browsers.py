"""Scripts in browsers can read every answer of the edge, and no cache mixes up what they may."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.integration.edge.conftest import MAX_REQUEST_BYTES, Edge
from tests.integration.edge.upstream import KNOWN, UNKNOWN, reason

ORIGIN = "http://localhost:3000"
ORDER = f"/api/v1/orders/{KNOWN}"
# The status that is answered, and to what.
Case = tuple[int, str, str, Mapping[str, Any]]
ANSWERS: tuple[Case, ...] = (
    (200, "GET", ORDER, {}),
    (200, "GET", "/docs", {}),
    (200, "GET", "/livez", {}),
    (204, "OPTIONS", "/api/v1/orders", {}),
    (304, "GET", f"/api/v1/products/{KNOWN}", {"headers": {"if-none-match": "*"}}),
    (400, "GET", f"{ORDER}?id=other", {}),
    (400, "POST", "/api/v1/orders", {"content": "{"}),
    (400, "GET", "/api/v1/orders/..%2Fusers", {}),
    (401, "GET", ORDER, {"headers": {"authorization": "Bearer nonsense"}}),
    (404, "GET", "/api/v1/nothing", {}),
    (404, "GET", f"/api/v1/orders/{UNKNOWN}", {}),
    (405, "DELETE", "/api/v1/orders", {}),
    (413, "POST", "/api/v1/users/login", {"content": b"x" * (MAX_REQUEST_BYTES + 1)}),
    (415, "POST", "/api/v1/orders", {"content": b"x", "headers": {"content-encoding": "gzip"}}),
    (501, "TRACE", "/api/v1/orders", {}),
    (503, "GET", f"/api/v1/payments/{KNOWN}", {}),
)


def ask(caller: httpx.Client, case: Case, origin: Mapping[str, str]) -> httpx.Response:
    _, verb, path, sent = case
    return caller.request(verb, path, **{**sent, "headers": {**origin, **sent.get("headers", {})}})


def by_case(case: Case) -> str:
    return f"{case[0]} {case[1]} {case[2]}"


@pytest.mark.parametrize("case", ANSWERS, ids=by_case)
def test_an_allowed_origin_reads_every_answer(caller: httpx.Client, case: Case) -> None:
    status, *_ = case
    answer = ask(caller, case, {"origin": ORIGIN})

    assert answer.status_code == status, answer.text
    assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", [{}, {"origin": "https://elsewhere.example"}], ids=["none", "another"])
@pytest.mark.parametrize("case", ANSWERS, ids=by_case)
def test_other_origins_read_none_and_caches_know_that_it_depends(
    caller: httpx.Client, case: Case, origin: Mapping[str, str]
) -> None:
    status, _, path, _ = case
    answer = ask(caller, case, origin)

    assert answer.status_code == status
    if "%2F" not in path:  # refused before anybody looked at its origin
        assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("request_", "status", "expected"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\nx-large: " + b"x" * 20_000 + b"\r\n\r\n", 431, "HEADERS_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: 1\r\n" * 80 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
        (b"GET /caf\xe9 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "REQUEST_MALFORMED"),
        (b"GET / HTTP/1.1\r\nhost: x\r\norigin: http://localhost:3000\r\n", 408, "REQUEST_TIMEOUT"),
    ],
    ids=["large headers", "many headers", "malformed", "never ends"],
)
def test_what_could_not_be_read_is_answered_to_any_origin(
    edge: Edge, request_: bytes, status: int, expected: str
) -> None:
    head, body = edge.raw(request_)

    assert head.startswith(f"HTTP/1.1 {status}".encode())
    assert b"access-control-allow-origin: *" in head
    assert b"vary: Origin" in head
    assert reason(json.loads(body)) == expected
