"""Request headers: how large they may be, which reach a service, and how a token or a deadline may be written."""

import time
from collections.abc import Iterator

import grpc
import httpx
import pytest

from gateway.envoy import headers
from souk.order.v1 import order_service_pb2, order_service_pb2_grpc
from tests.integration.edge.conftest import SERVICES, Edge, running_edge
from tests.integration.edge.upstream import KNOWN, SLOW, Upstream, reason
from tests.support import ports

ORDER = f"/api/v1/orders/{KNOWN}"
# What the test's own client sends along, and the request line.
OWN_BYTES = 1024


def status(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, "" if answer.status_code < 400 else reason(answer.json())


@pytest.mark.parametrize("name", ["cookie", "idempotency-key", "x-anything"])
def test_headers_up_to_the_one_limit_are_served_each_time(caller: httpx.Client, name: str) -> None:
    large = {name: "x" * (headers.MOST_KIB * 1024 - OWN_BYTES)}

    seen = {status(caller.get(ORDER, headers=large)) for _ in range(20)}

    assert seen == {(200, "")}


def test_headers_beyond_the_one_limit_are_431_each_time(caller: httpx.Client) -> None:
    large = {"cookie": "x" * headers.MOST_KIB * 1024}

    seen = {status(caller.get(ORDER, headers=large)) for _ in range(20)}

    assert seen == {(431, "HEADERS_TOO_LARGE")}


@pytest.mark.parametrize(
    "name", ["cookie", "accept-language", "x-forwarded-for", "forwarded", "tracestate", "x-b3-traceid"]
)
def test_a_service_gets_no_header_that_it_does_not_read(edge: Edge, caller: httpx.Client, name: str) -> None:
    assert caller.get(ORDER, headers={name: "from outside"}).status_code == 200

    assert not [value for value in edge.upstream.metadata["GetOrder"].values() if "from outside" in value]


def test_a_header_that_is_not_ascii_does_not_reach_a_service(edge: Edge, caller: httpx.Client) -> None:
    for name in (
        "cookie",
        "x-name",
        "user-agent",
        "referer",
        "traceparent",
        "accept",
        "accept-encoding",
        "if-none-match",
    ):
        answer = caller.get(ORDER, headers=[(name.encode(), b"caf\xe9")])

        assert answer.status_code == 200, name
        assert not [value for value in edge.upstream.metadata["GetOrder"].values() if not value.isascii()]


@pytest.mark.parametrize("name", ["idempotency-key", "authorization", "origin", "grpc-timeout"])
def test_a_header_that_matters_and_is_not_ascii_is_refused(edge: Edge, stranger: httpx.Client, name: str) -> None:
    before = edge.upstream.calls["Login"]

    answer = stranger.post("/api/v1/users/login", json={}, headers=[(name.encode(), b"caf\xe9")])

    assert status(answer) == (400, "HEADER_NOT_ASCII")
    assert name in answer.json()["message"]
    assert edge.upstream.calls["Login"] == before


@pytest.mark.parametrize(
    "sent", ["00-" + "1" * 32 + "-" + "2" * 16 + "-01", "00-x-y-01", "nonsense", "00-" + "1" * 32 + "-22-01"]
)
def test_only_a_trace_that_is_one_goes_on(edge: Edge, caller: httpx.Client, sent: str) -> None:
    caller.get(ORDER, headers={"traceparent": sent})

    assert edge.upstream.metadata["GetOrder"].get("traceparent") == (sent if len(sent) == 55 else None)


@pytest.mark.parametrize("before", ["BEARER ", "Bearer  ", "bEaReR    ", "bearer "])
def test_the_schemes_name_is_in_any_case_and_spaces_follow(edge: Edge, stranger: httpx.Client, before: str) -> None:
    token = edge.upstream.token("somebody")

    assert stranger.get(ORDER, headers={"authorization": before + token}).status_code == 200
    assert edge.upstream.metadata["GetOrder"]["authorization"].lower() == f"bearer {token}".lower()


@pytest.mark.parametrize("header", ["Bearer", "Bearers x", "Token x", "Bearer\tx"])
def test_another_scheme_or_none_is_no_token(stranger: httpx.Client, header: str) -> None:
    assert status(stranger.get(ORDER, headers={"authorization": header})) == (401, "TOKEN_MISSING")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "GZIP"])
def test_a_compressed_body_is_415(edge: Edge, caller: httpx.Client, encoding: str) -> None:
    before = edge.upstream.calls["CreateOrder"]

    answer = caller.post("/api/v1/orders", content=b"\x1f\x8b\x08\x00", headers={"content-encoding": encoding})

    assert status(answer) == (415, "ENCODING_NOT_SUPPORTED")
    assert answer.headers["accept-encoding"] == "identity"
    assert edge.upstream.calls["CreateOrder"] == before


def test_a_body_that_says_it_is_not_compressed_is_read(caller: httpx.Client) -> None:
    assert caller.post("/api/v1/orders", json={}, headers={"content-encoding": "identity"}).status_code == 200


def test_compressed_grpc_is_refused(edge: Edge) -> None:
    metadata = tuple(edge.bearer().items())
    with grpc.insecure_channel(edge.address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        orders = order_service_pb2_grpc.OrderServiceStub(channel)
        request = order_service_pb2.GetOrderRequest(id=KNOWN)
        with pytest.raises(grpc.RpcError) as refused:
            orders.GetOrder(request, metadata=metadata, compression=grpc.Compression.Gzip)

        assert orders.GetOrder(request, metadata=metadata).id == KNOWN
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "compressed" in str(refused.value.details())


@pytest.fixture
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge before two hosts of each service: with one there is nothing to eject."""
    first, second = Upstream(), Upstream()
    second.key = first.key
    first.start()
    second.start()
    both = dict.fromkeys(SERVICES, f"127.0.0.1:{first.port},127.0.0.1:{second.port}")
    with running_edge(tmp_path_factory.mktemp("two"), first, both | {"payment": ports.free_address()}) as edge:
        edge.await_status("/.well-known/jwks.json", 200)
        yield edge
    first.stop()
    second.stop()


def test_a_callers_deadline_is_not_the_hosts_fault(of_two: Edge) -> None:
    with httpx.Client(base_url=of_two.url, headers=of_two.bearer(), timeout=10, trust_env=False) as client:
        answers = [
            client.get(f"/api/v1/orders/{SLOW}", headers={"grpc-timeout": wait}) for wait in ("1n", "1u", "5m") * 33
        ]
        for _ in range(30):
            with pytest.raises(httpx.TimeoutException):
                client.get(f"/api/v1/orders/{SLOW}", timeout=0.02)

    assert {answer.status_code for answer in answers} == {504}
    assert of_two.count("cluster.order.outlier_detection.ejections_enforced_total") == 0


def test_a_host_that_fails_by_itself_is_ejected(of_two: Edge) -> None:
    of_two.upstream.failures["CreateOrder"] = 1000
    with httpx.Client(base_url=of_two.url, timeout=10, trust_env=False) as client:
        # 20 failures of one host in a row are what it takes.
        for number in range(60):
            client.post("/api/v1/orders", json={}, headers=of_two.bearer(f"user {number}"))

    assert of_two.count("cluster.order.outlier_detection.ejections_enforced_total") >= 1


def test_a_call_whose_callers_deadline_has_passed_is_given_up_at_the_service(edge: Edge, caller: httpx.Client) -> None:
    before = edge.upstream.cancelled["GetOrder"]

    answer = caller.get(f"/api/v1/orders/{SLOW}", headers={"grpc-timeout": "200m"})

    assert status(answer) == (504, "DEADLINE_EXCEEDED")
    deadline = time.monotonic() + 1.5  # the contract's deadline, which the service was told, is later
    while edge.upstream.cancelled["GetOrder"] == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
