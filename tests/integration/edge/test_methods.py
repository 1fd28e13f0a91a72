"""HTTP's methods and versions, as RFC 9110 has them."""

import json

import httpx
import pytest

from tests.integration.edge.conftest import Edge
from tests.integration.edge.upstream import KNOWN, LARGE, UNKNOWN, reason

ORDER = f"/api/v1/orders/{KNOWN}"
PRODUCT = f"/api/v1/products/{KNOWN}"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize(
    "path", [ORDER, f"/api/v1/orders/{LARGE}", f"/api/v1/orders/{UNKNOWN}", PRODUCT, "/api/v1/orders"]
)
def test_head_is_get_without_the_body(edge: Edge, caller: httpx.Client, path: str, encoding: str) -> None:
    own = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "transfer-encoding"}
    request = {"accept-encoding": encoding}

    for http2 in (False, True):
        with httpx.Client(base_url=edge.url, headers=caller.headers, http2=http2, trust_env=False) as client:
            get, head = client.get(path, headers=request), client.head(path, headers=request)

        assert (head.status_code, head.content) == (get.status_code, b"")
        assert {*head.headers.items()} - {*get.headers.items()} <= {(name, head.headers.get(name)) for name in own}
        assert {*get.headers} - {*head.headers} <= own


def test_nothing_of_a_body_follows_a_head(edge: Edge) -> None:
    token = edge.upstream.token("somebody")
    request = f"HEAD {ORDER} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"

    head, body = edge.raw(request.encode())

    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_head_asks_with_a_condition_too(stranger: httpx.Client) -> None:
    answer = stranger.head(PRODUCT, headers={"if-none-match": "*"})

    assert (answer.status_code, answer.headers["etag"]) == (304, 'W/"7"')


def test_a_stream_has_no_head(caller: httpx.Client) -> None:
    answer = caller.head(f"{ORDER}/watch")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/orders", "GET, HEAD, OPTIONS, POST"),
        (ORDER, "GET, HEAD, OPTIONS"),
        ("/api/v1/orders/quote", "OPTIONS, POST"),
        (f"{ORDER}/cancel", "OPTIONS, PUT"),
        (PRODUCT, "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/api/v1/products/batch", "GET, HEAD, OPTIONS"),
        ("/api/v1/products/featured", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_path_says_what_it_takes_when_asked_and_when_refusing(
    stranger: httpx.Client, path: str, allowed: str
) -> None:
    options = stranger.options(path)

    assert (options.status_code, options.content, options.headers["allow"]) == (204, b"", allowed)
    for verb in {"DELETE", "GET", "PATCH", "POST", "PUT"} - set(allowed.split(", ")):
        answer = stranger.request(verb, path, json={})
        assert (answer.status_code, reason(answer.json())) == (405, "METHOD_NOT_ALLOWED"), verb
        assert answer.headers["allow"] == allowed


def test_options_of_nothing_is_404(stranger: httpx.Client) -> None:
    assert stranger.options("/api/v1/nothing").status_code == 404


def test_options_of_everything_lists_what_there_is(edge: Edge) -> None:
    head, body = edge.raw(b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 204")
    assert b"allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT" in head
    assert body == b""


@pytest.mark.parametrize("path", ["/api/v1/orders", "/docs", "/api/v1/nothing"])
@pytest.mark.parametrize("verb", ["QUERY", "TRACE", "PROPFIND", "PURGE"])
def test_a_method_that_no_path_takes_is_501(stranger: httpx.Client, verb: str, path: str) -> None:
    answer = stranger.request(verb, path)

    assert (answer.status_code, reason(answer.json())) == (501, "METHOD_UNKNOWN")


def test_connect_is_501_at_once(edge: Edge) -> None:
    head, body = edge.raw(b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 501")
    assert reason(json.loads(body)) == "METHOD_UNKNOWN"


def test_a_method_with_a_query_of_its_own_is_501_over_http_2_too(edge: Edge) -> None:
    with httpx.Client(base_url=edge.url, http1=False, http2=True, trust_env=False) as client:
        for verb in ("QUERY", "BREW"):
            assert client.request(verb, "/api/v1/orders").status_code == 501


@pytest.mark.parametrize("host", [b"", b"host: shop.example\r\n"])
def test_http_1_0_is_served(edge: Edge, host: bytes) -> None:
    token = edge.upstream.token("somebody").encode()

    head, body = edge.raw(b"GET %s HTTP/1.0\r\n%sauthorization: Bearer %s\r\n\r\n" % (ORDER.encode(), host, token))

    assert head.startswith(b"HTTP/1.0 200")
    assert json.loads(body)["id"] == KNOWN
