"""REST through the edge: transcoding, the one error shape, input limits, browsers."""

import gzip
import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.integration.edge.conftest import MAX_REQUEST_BYTES, Edge
from tests.integration.edge.upstream import BARE, KNOWN, LARGE, SLOW, UNKNOWN, reason

ORIGIN = "http://localhost:3000"


def error(answer: httpx.Response, status: int) -> str:
    """The reason of an error with this status, in the one shape, and nothing of the transport about it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert not [name for name in answer.headers if name.startswith(("grpc-", "x-envoy", "server"))]
    return reason(answer.json())


def request_id(answer: httpx.Response) -> str:
    (info,) = answer.json()["details"]
    return str(info["metadata"]["request_id"])


def test_a_call_is_transcoded_both_ways(caller: httpx.Client) -> None:
    body = {"items": [{"sku": "TEA", "quantity": 2}, {"sku": "CUP", "quantity": "3"}]}

    answer = caller.post("/api/v1/orders", json=body)

    assert answer.status_code == 200
    assert [(line["sku"], line["quantity"]) for line in answer.json()["lines"]] == [("TEA", "2"), ("CUP", "3")]


def test_json_keeps_the_contracts_names_and_prints_defaults(caller: httpx.Client) -> None:
    order = caller.get(f"/api/v1/orders/{KNOWN}").json()

    assert order["id"] == KNOWN
    assert order["status"] == "CONFIRMED"
    assert order["version"] == str(2**60)
    assert order["cancel_reason"] == ""


def test_a_success_tells_nothing_of_the_transport(caller: httpx.Client) -> None:
    headers = caller.get(f"/api/v1/orders/{KNOWN}").headers

    assert not [name for name in headers if name.startswith(("grpc-", "x-envoy", "server"))]
    assert headers["x-request-id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_a_services_error_keeps_its_details(caller: httpx.Client) -> None:
    answer = caller.get(f"/api/v1/orders/{UNKNOWN}")

    assert error(answer, 404) == "ORDER_NOT_FOUND"
    assert answer.json()["details"][0]["metadata"] == {"id": UNKNOWN}
    assert answer.json()["code"] == 5


def test_all_wrong_fields_are_named_at_once(caller: httpx.Client) -> None:
    answer = caller.post("/api/v1/orders", json={"items": [{"quantity": 1}, {"sku": "TEA"}, {"quantity": 2}]})

    assert error(answer, 400) == "REQUEST_INVALID"
    (bad,) = [each for each in answer.json()["details"] if each["@type"] == "type.googleapis.com/google.rpc.BadRequest"]
    assert [violation["field"] for violation in bad["field_violations"]] == ["items[0].sku", "items[2].sku"]
    assert bad["field_violations"][0]["reason"] == "string.min_len"


def test_an_error_without_details_still_has_a_body(caller: httpx.Client) -> None:
    answer = caller.get(f"/api/v1/orders/{BARE}")

    assert answer.status_code == 500
    assert answer.json() == {"code": 13, "message": "broken", "details": []}


def test_a_method_that_a_service_lacks_is_501(stranger: httpx.Client) -> None:
    answer = stranger.get("/api/v1/products")

    assert answer.status_code == 501
    assert answer.json()["code"] == 12
    assert answer.json()["message"]


@pytest.mark.parametrize("path", ["/", "/api/v1/nothing", "/souk.order.v1.OrderService/GetOrder", "/docs/"])
def test_an_unknown_path_is_404(caller: httpx.Client, path: str) -> None:
    answer = caller.get(path)

    assert error(answer, 404) == "ROUTE_NOT_FOUND"
    assert request_id(answer) == answer.headers["x-request-id"]


def test_a_wrong_method_is_405_and_told_the_right_ones(caller: httpx.Client) -> None:
    answer = caller.delete("/api/v1/orders")

    assert error(answer, 405) == "METHOD_NOT_ALLOWED"
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("body", ['{"items": [', "", "[]", '{"items": "many"}', '{"items": [{"quantity": "two"}]}'])
def test_malformed_json_is_400_and_reaches_no_service(edge: Edge, caller: httpx.Client, body: str) -> None:
    before = edge.upstream.calls["CreateOrder"]

    answer = caller.post("/api/v1/orders", content=body, headers={"content-type": "application/json"})

    if body:
        assert error(answer, 400) == "REQUEST_MALFORMED"
        assert edge.upstream.calls["CreateOrder"] == before
    else:
        assert answer.status_code == 200  # an empty body is an empty message, which the service judges


def test_an_unknown_query_parameter_is_400(caller: httpx.Client) -> None:
    answer = caller.get("/api/v1/orders", params={"pagesize": 3})

    assert error(answer, 400) == "REQUEST_MALFORMED"
    assert "pagesize" in answer.json()["message"]


def test_an_escaped_slash_is_400(caller: httpx.Client) -> None:
    assert error(caller.get("/api/v1/orders/..%2Fusers"), 400) == "PATH_MALFORMED"


def test_paths_are_normalised(caller: httpx.Client) -> None:
    assert caller.get(f"/api//v1/orders/{KNOWN}").status_code == 200


def test_a_body_that_says_it_is_too_large_is_413(edge: Edge, stranger: httpx.Client) -> None:
    answer = stranger.post("/api/v1/users/login", content=b"x" * (MAX_REQUEST_BYTES + 1))

    assert error(answer, 413) == "REQUEST_TOO_LARGE"
    assert edge.upstream.calls["Login"] == 0


def test_an_endless_body_without_a_length_is_413(caller: httpx.Client) -> None:
    def endless() -> Any:
        yield b'{"payment_method": "'
        for _ in range(300):
            yield b"x" * 1000

    assert error(caller.post("/api/v1/orders", content=endless()), 413) == "REQUEST_TOO_LARGE"


def test_a_small_body_without_a_length_is_fine(caller: httpx.Client) -> None:
    assert caller.post("/api/v1/orders", content=iter([b'{"items":', b"[]}"])).status_code == 200


def test_too_many_headers_are_431(caller: httpx.Client) -> None:
    answer = caller.get("/api/v1/orders", headers={f"x-{number}": "1" for number in range(80)})

    assert error(answer, 431) == "HEADERS_TOO_LARGE"


def test_too_large_headers_are_431(caller: httpx.Client) -> None:
    assert error(caller.get("/api/v1/orders", headers={"x-large": "x" * 40_000}), 431) == "HEADERS_TOO_LARGE"


def test_what_is_not_http_gets_the_one_shape_too(edge: Edge) -> None:
    host, _, port = edge.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"hello?\r\n\r\n")
        head, _, body = raw.recv(4096).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400")
    assert reason(json.loads(body)) == "REQUEST_MALFORMED"


def test_a_service_that_is_down_is_503(caller: httpx.Client) -> None:
    answer = caller.get(f"/api/v1/payments/{KNOWN}")

    assert error(answer, 503) == "UPSTREAM_UNAVAILABLE"
    assert answer.json()["code"] == 14


def test_a_service_that_does_not_answer_is_504_after_the_contracts_time(caller: httpx.Client) -> None:
    started = time.monotonic()

    answer = caller.get(f"/api/v1/orders/{SLOW}")

    # The edge and gRPC's own deadline at the service end together; whichever is first answers.
    assert answer.status_code == 504
    assert answer.json()["code"] == 4
    assert 1.9 < time.monotonic() - started < 10


def test_a_service_learns_the_deadline(edge: Edge, caller: httpx.Client) -> None:
    caller.get(f"/api/v1/orders/{KNOWN}")

    remaining = edge.upstream.deadlines["GetOrder"]
    assert remaining is not None
    assert 1.5 < remaining <= 2


def test_identity_headers_from_outside_are_stripped(edge: Edge, caller: httpx.Client) -> None:
    forged = {
        "x-jwt-sub": "admin",
        "x-souk-service": "admin",
        "x-user-id": "admin",
        "x-forwarded-user": "admin",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-original-path": "/healthz",
        "idempotency-key": "kept",
    }

    assert caller.get(f"/api/v1/orders/{KNOWN}", headers=forged).status_code == 200

    seen = edge.upstream.metadata["GetOrder"]
    assert "admin" not in seen.values()
    assert "x-envoy-upstream-rq-timeout-ms" not in seen
    assert seen["x-envoy-original-path"] == f"/api/v1/orders/{KNOWN}"
    assert seen["idempotency-key"] == "kept"
    assert seen["authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x*y", "a name that HTTP allows and gRPC does not"),
        ("x-picture-bin", "not base64"),
        ("grpc-trace-bin", "nor this"),
        ("grpc-encoding", "unheard-of"),
        ("grpc-accept-encoding", "unheard-of"),
        ("grpc-previous-rpc-attempts", "many"),
    ],
)
def test_a_header_that_grpc_would_choke_on_does_not_reach_it(
    edge: Edge, caller: httpx.Client, name: str, value: str
) -> None:
    answer = caller.get(f"/api/v1/orders/{KNOWN}", headers={name: value})

    assert answer.status_code == 200, answer.text
    assert value not in edge.upstream.metadata["GetOrder"].values()


def test_a_transfer_encoding_that_nobody_knows_is_400(edge: Edge) -> None:
    host, _, port = edge.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"POST /api/v1/users/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n")
        head, _, body = raw.recv(4096).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400")
    assert reason(json.loads(body)) == "REQUEST_MALFORMED"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_stream_is_one_json_object_per_line_as_it_happens(edge: Edge, caller: httpx.Client, encoding: str) -> None:
    edge.upstream.news.clear()
    with caller.stream("GET", f"/api/v1/orders/{KNOWN}/watch", headers={"accept-encoding": encoding}) as answer:
        lines = answer.iter_lines()
        first = next(lines)  # times out when anything on the way holds it back
        edge.upstream.news.set()
        rest = list(lines)

    assert [json.loads(line)["sequence"] for line in (first, *rest)] == ["1", "2", "3"]


def test_large_answers_are_compressed_for_those_who_take_it(caller: httpx.Client) -> None:
    path = f"/api/v1/orders/{LARGE}"
    with caller.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())

    assert answer.headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(raw))["lines"]) == 100
    assert "content-encoding" not in caller.get(path, headers={"accept-encoding": "identity"}).headers


def test_a_preflight_of_an_allowed_origin_is_answered(stranger: httpx.Client) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "PUT"}

    answer = stranger.options(f"/api/v1/orders/{KNOWN}/cancel", headers=asked)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "idempotency-key" in answer.headers["access-control-allow-headers"]


def test_a_preflight_of_another_origin_allows_nothing(stranger: httpx.Client) -> None:
    asked = {"origin": "http://elsewhere.example", "access-control-request-method": "POST"}

    assert "access-control-allow-origin" not in stranger.options("/api/v1/orders", headers=asked).headers


def test_a_browser_may_read_answers_and_errors(caller: httpx.Client, stranger: httpx.Client) -> None:
    for answer in (
        caller.get(f"/api/v1/orders/{KNOWN}", headers={"origin": ORIGIN}),
        stranger.get(f"/api/v1/orders/{KNOWN}", headers={"origin": ORIGIN}),
    ):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "x-request-id" in answer.headers["access-control-expose-headers"]


def test_the_document_and_its_page_are_served(stranger: httpx.Client) -> None:
    document = stranger.get("/openapi.json")
    page = stranger.get("/docs")

    assert document.json()["paths"]["/api/v1/orders"]
    assert document.headers["content-type"] == "application/json"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.text.startswith("<!doctype html>")
    for path, answer in (("/openapi.json", document), ("/docs", page)):
        head = stranger.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == answer.headers["content-type"]


def test_the_access_log_says_who_called_what(edge: Edge, caller: httpx.Client) -> None:
    answer = caller.get(f"/api/v1/orders/{KNOWN}")
    wanted = answer.headers["x-request-id"]
    deadline = time.monotonic() + 20
    while not (lines := [line for line in edge.log.read_text().splitlines() if wanted in line]):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    entry = json.loads(lines[0])

    assert entry["method"] == "GET"
    assert entry["path"] == f"/api/v1/orders/{KNOWN}"
    assert entry["rpc"] == "souk.order.v1.OrderService.GetOrder"
    assert entry["sub"] == "test_the_access_log_says_who_called_what"
    assert entry["status"] == 200
    assert entry["grpc_status"] == "OK"
