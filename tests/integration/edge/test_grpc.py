"""gRPC and gRPC-Web through the edge, on the port that serves REST."""

import base64
import struct
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from souk.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc
from tests.integration.edge.conftest import MAX_REQUEST_BYTES, Edge
from tests.integration.edge.upstream import KNOWN, SLOW, UNKNOWN

WEB = "application/grpc-web+proto"


@pytest.fixture
def channel(edge: Edge) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(edge.address, options=[("grpc.enable_http_proxy", 0)]) as opened:
        yield opened


@pytest.fixture
def orders(channel: grpc.Channel) -> order_service_pb2_grpc.OrderServiceStub:
    return order_service_pb2_grpc.OrderServiceStub(channel)


@pytest.fixture
def bearer(edge: Edge, request: pytest.FixtureRequest) -> tuple[tuple[str, str], ...]:
    return tuple(edge.bearer(request.node.name).items())


def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    """The status of a call that is refused, and the reason in its details."""
    with pytest.raises(grpc.RpcError) as refused:
        call()
    error: Any = refused.value
    pairs = [*(error.trailing_metadata() or ()), *(error.initial_metadata() or ())]
    details = next(value for key, value in pairs if key == "grpc-status-details-bin")
    return error.code(), _reason(details)


def _reason(details: bytes) -> str:
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(details).details[0].Unpack(info)
    return str(info.reason)


def test_a_call_passes(orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any) -> None:
    order = orders.GetOrder(order_service_pb2.GetOrderRequest(id=KNOWN), metadata=bearer)

    assert order.id == KNOWN
    assert order.status == order_pb2.Order.CONFIRMED


def test_a_stream_passes(orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any) -> None:
    events = list(orders.WatchOrder(order_service_pb2.WatchOrderRequest(id=KNOWN), metadata=bearer))

    assert [event.sequence for event in events] == [1, 2, 3]


def test_metadata_with_underscores_does_no_harm(orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any) -> None:
    request = order_service_pb2.GetOrderRequest(id=KNOWN)

    assert orders.GetOrder(request, metadata=(*bearer, ("x_custom", "1"))).id == KNOWN


def test_a_services_error_passes(orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any) -> None:
    request = order_service_pb2.GetOrderRequest(id=UNKNOWN)

    assert refusal(lambda: orders.GetOrder(request, metadata=bearer)) == (
        grpc.StatusCode.NOT_FOUND,
        "ORDER_NOT_FOUND",
    )


def test_a_missing_token_is_unauthenticated(orders: order_service_pb2_grpc.OrderServiceStub) -> None:
    assert refusal(lambda: orders.GetOrder(order_service_pb2.GetOrderRequest(id=KNOWN))) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_MISSING",
    )


def test_a_method_for_services_is_unimplemented(channel: grpc.Channel, bearer: Any) -> None:
    catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)

    assert refusal(
        lambda: catalog.BatchGetOffers(catalog_service_pb2.BatchGetOffersRequest(skus=["TEA"]), metadata=bearer)
    ) == (grpc.StatusCode.UNIMPLEMENTED, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize(
    "method", ["/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]
)
def test_health_and_reflection_stay_inside(channel: grpc.Channel, method: str) -> None:
    call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)

    assert refusal(lambda: call(b"")) == (grpc.StatusCode.UNIMPLEMENTED, "ROUTE_NOT_FOUND")


def test_a_dry_bucket_is_resource_exhausted(orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any) -> None:
    def call_often() -> None:
        for _ in range(200):
            orders.CreateOrder(order_service_pb2.CreateOrderRequest(), metadata=bearer)

    assert refusal(call_often) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")


def test_grpc_and_rest_share_a_bucket(
    edge: Edge, orders: order_service_pb2_grpc.OrderServiceStub, stranger: httpx.Client
) -> None:
    both = edge.bearer("both")
    for _ in range(10):
        orders.CreateOrder(order_service_pb2.CreateOrderRequest(), metadata=tuple(both.items()))

    answer = stranger.post("/api/v1/orders", json={}, headers=both)

    assert int(answer.headers["x-ratelimit-remaining"]) < 55


def test_a_callers_shorter_deadline_ends_the_call_at_the_service(
    edge: Edge, orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any
) -> None:
    before = edge.upstream.cancelled["GetOrder"]
    started = time.monotonic()

    with pytest.raises(grpc.RpcError) as late:
        orders.GetOrder(order_service_pb2.GetOrderRequest(id=SLOW), metadata=bearer, timeout=0.2)
    while edge.upstream.cancelled["GetOrder"] == before:
        assert time.monotonic() - started < 1.7  # the service itself would go on to the contract's deadline of 2 s
        time.sleep(0.02)

    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_callers_longer_deadline_is_cut_to_the_contracts(
    orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any
) -> None:
    started = time.monotonic()
    request = order_service_pb2.GetOrderRequest(id=SLOW)

    with pytest.raises(grpc.RpcError) as late:
        orders.GetOrder(request, metadata=bearer, timeout=60)

    error: Any = late.value
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 10


def test_a_message_that_is_too_large_is_refused(orders: order_service_pb2_grpc.OrderServiceStub, bearer: Any) -> None:
    request = order_service_pb2.GetOrderRequest(id="x" * (MAX_REQUEST_BYTES + 1))

    _, reason = refusal(lambda: orders.GetOrder(request, metadata=bearer))

    assert reason == "REQUEST_TOO_LARGE"


def test_a_service_that_is_down_is_unavailable(channel: grpc.Channel, bearer: Any) -> None:
    payments = payment_service_pb2_grpc.PaymentServiceStub(channel)

    assert refusal(lambda: payments.GetPayment(payment_service_pb2.GetPaymentRequest(id=KNOWN), metadata=bearer)) == (
        grpc.StatusCode.UNAVAILABLE,
        "UPSTREAM_UNAVAILABLE",
    )


def test_a_public_method_needs_no_token(channel: grpc.Channel) -> None:
    users = user_service_pb2_grpc.UserServiceStub(channel)

    assert users.Login(user_service_pb2.LoginRequest(email="somebody")).token_type == "Bearer"


def _web_call(client: httpx.Client, message: Any) -> httpx.Response:
    payload = message.SerializeToString()
    frame = struct.pack(">BI", 0, len(payload)) + payload
    headers = {"content-type": WEB, "x-grpc-web": "1", "origin": "http://localhost:3000"}
    return client.post("/souk.order.v1.OrderService/GetOrder", content=frame, headers=headers)


def test_grpc_web_passes(caller: httpx.Client) -> None:
    answer = _web_call(caller, order_service_pb2.GetOrderRequest(id=KNOWN))

    size = struct.unpack(">I", answer.content[1:5])[0]
    assert answer.headers["content-type"] == WEB
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert order_pb2.Order.FromString(answer.content[5 : 5 + size]).id == KNOWN
    assert b"grpc-status:0" in answer.content[5 + size :]


def test_grpc_web_errors_of_the_edge_have_a_reason(stranger: httpx.Client) -> None:
    answer = _web_call(stranger, order_service_pb2.GetOrderRequest(id=KNOWN))

    assert answer.headers["grpc-status"] == "16"
    assert _reason(base64.b64decode(answer.headers["grpc-status-details-bin"])) == "TOKEN_MISSING"
