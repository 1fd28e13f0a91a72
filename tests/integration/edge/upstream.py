"""The services behind the edge under test: one gRPC server that plays user and order, and remembers what it was asked."""

import asyncio
import base64
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.chassis import errors
from services.chassis.rpc import server as server_module
from services.chassis.rpc import serving, status
from souk.catalog.v1 import bulk_pb2, catalog_service_pb2_grpc, product_pb2
from souk.notification.v1 import notification_service_pb2, notification_service_pb2_grpc
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from souk.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from souk.user.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc

KEY_ID = "test-key"
KNOWN = "0190f5a8-0000-7000-8000-000000000001"
UNKNOWN = "0190f5a8-0000-7000-8000-000000000404"
SLOW = "0190f5a8-0000-7000-8000-000000000504"
BARE = "0190f5a8-0000-7000-8000-000000000500"
LARGE = "0190f5a8-0000-7000-8000-000000000999"
START_SECONDS = 10


class Upstream:
    """The server, with a loop and a thread of its own.

    failures tells how often a method still answers UNAVAILABLE. calls counts what arrived, metadata holds that of the
    last call of each method.
    """

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.failures: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.metadata: dict[str, dict[str, str]] = {}
        self.deadlines: dict[str, float | None] = {}
        # Calls that were given up while they were served.
        self.cancelled: Counter[str] = Counter()
        # The messages of the last upload.
        self.uploaded: list[bulk_pb2.ImportProductsRequest] = []
        # The last event of the payment provider, and the last news of a mail.
        self.event: payment_service_pb2.ReceiveWebhookRequest | None = None
        self.bounce: notification_service_pb2.ReceiveBounceRequest | None = None
        # While it is clear, a watched order has no news after its first event.
        self.news = threading.Event()
        self.news.set()
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread()

    def start(self, port: int = 0) -> None:
        """Serve on this port of the loopback address; 0 chooses one."""
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(port, started)), daemon=True)
        self._thread.start()
        assert started.wait(START_SECONDS)

    def stop(self) -> None:
        """Stop serving, at once."""
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_SECONDS)

    def token(self, subject: str, **claims: Any) -> str:
        """An access token as the user service would sign it, with these claims changed."""
        payload = {"iss": "https://souk.local", "aud": "souk", "sub": subject, "exp": time.time() + 600, **claims}
        return jwt.encode(payload, self.key, algorithm="ES256", headers={"kid": KEY_ID})

    async def asked(self, method: str, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        """Note a call, and fail it when that was asked for."""
        self.calls[method] += 1
        self.metadata[method] = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
        self.deadlines[method] = context.time_remaining()
        if self.failures[method] > 0:
            self.failures[method] -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")

    async def _serve(self, port: int, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = grpc.aio.server(options=server_module.OPTIONS)
        # The methods that nobody plays here are UNIMPLEMENTED at run time.
        user_service_pb2_grpc.add_UserServiceServicer_to_server(_Users(self), server)  # type: ignore[abstract]
        order_service_pb2_grpc.add_OrderServiceServicer_to_server(_Orders(self), server)  # type: ignore[abstract]
        catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(_Catalog(self), server)  # type: ignore[abstract]
        payment_service_pb2_grpc.add_PaymentServiceServicer_to_server(_Payments(self), server)  # type: ignore[abstract]
        mail = _Notifications(self)  # type: ignore[abstract]
        notification_service_pb2_grpc.add_NotificationServiceServicer_to_server(mail, server)
        healthy = health.aio.HealthServicer()
        await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        self.port = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        started.set()
        await self._stop.wait()
        await server.stop(None)


class _Users(user_service_pb2_grpc.UserServiceServicer):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def GetJwks(self, request: Any, context: Any) -> user_service_pb2.JwkSet:  # noqa: ARG002 - gRPC's names
        point = self._upstream.key.public_key().public_numbers()
        key = user_service_pb2.Jwk(
            kty="EC", crv="P-256", x=_base64(point.x), y=_base64(point.y), kid=KEY_ID, alg="ES256", use="sig"
        )
        return user_service_pb2.JwkSet(keys=[key])

    async def Login(self, request: Any, context: Any) -> user_service_pb2.Session:
        await self._upstream.asked("Login", context)
        return user_service_pb2.Session(access_token=self._upstream.token(request.email), token_type="Bearer")

    async def GetMe(self, request: Any, context: Any) -> user_pb2.User:  # noqa: ARG002
        await self._upstream.asked("GetMe", context)
        return user_pb2.User(id="me", roles=[user_pb2.User.CUSTOMER])


class _Orders(order_service_pb2_grpc.OrderServiceServicer):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def GetOrder(self, request: Any, context: Any) -> order_pb2.Order:
        await self._upstream.asked("GetOrder", context)
        if request.id == UNKNOWN:
            missing = errors.not_found("ORDER_NOT_FOUND", "There is no such order.", id=UNKNOWN)
            await status.abort(context, status.render(missing, "order"))
        if request.id == BARE:
            await context.abort(grpc.StatusCode.INTERNAL, "broken")
        if request.id == SLOW:
            await self._never()
        lines = [order_pb2.OrderLine(sku=f"SKU-{number}") for number in range(100 if request.id == LARGE else 1)]
        return order_pb2.Order(id=request.id, status=order_pb2.Order.CONFIRMED, version=2**60, lines=lines)

    async def ListOrders(self, request: Any, context: Any) -> order_service_pb2.ListOrdersResponse:
        """Answers with the token that it was asked with."""
        await self._upstream.asked("ListOrders", context)
        return order_service_pb2.ListOrdersResponse(next_page_token=request.page_token)

    async def CancelOrder(self, request: Any, context: Any) -> order_pb2.Order:
        await self._upstream.asked("CancelOrder", context)
        return order_pb2.Order(id=request.id, status=order_pb2.Order.CANCELLING)

    async def _never(self) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self._upstream.cancelled["GetOrder"] += 1
            raise

    async def CreateOrder(self, request: Any, context: Any) -> order_pb2.Order:
        await self._upstream.asked("CreateOrder", context)
        if any(not item.sku for item in request.items):
            await status.abort(context, status.render(_wrong(request.items), "order"))
        lines = [order_pb2.OrderLine(sku=item.sku, quantity=item.quantity) for item in request.items]
        return order_pb2.Order(id=KNOWN, status=order_pb2.Order.PENDING, lines=lines)

    async def WatchOrder(self, request: Any, context: Any) -> AsyncIterator[order_pb2.OrderEvent]:
        assert request.id == KNOWN
        await self._upstream.asked("WatchOrder", context)
        for number in range(3):
            yield order_pb2.OrderEvent(sequence=number + 1)
            await asyncio.to_thread(self._upstream.news.wait, START_SECONDS)


class _Catalog(catalog_service_pb2_grpc.CatalogServiceServicer):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def GetProduct(self, request: Any, context: Any) -> product_pb2.Product:
        await self._upstream.asked("GetProduct", context)
        if request.id == UNKNOWN:
            missing = errors.not_found("PRODUCT_NOT_FOUND", "There is no such product.", id=UNKNOWN)
            await status.abort(context, status.render(missing, "order"))
        await context.send_initial_metadata((("etag", 'W/"7"'), ("cache-control", "public, max-age=0")))
        description = "tea " * (1000 if request.id == LARGE else 1)
        return product_pb2.Product(id=request.id, version=7, description=description)

    async def ImportProducts(self, requests: Any, context: Any) -> AsyncIterator[bulk_pb2.ImportProductsResponse]:
        """Reports how many bytes came in how many pieces, and how large the largest was."""
        try:
            await self._upstream.asked("ImportProducts", context)
            pieces = [request async for request in requests]
            # As a service does, which this one is not.
            await asyncio.sleep(serving.BROKEN_OFF_S)
        except asyncio.CancelledError:
            self._upstream.cancelled["ImportProducts"] += 1
            raise
        self._upstream.uploaded = pieces
        received = sum(len(piece.file.data) for piece in pieces)
        yield bulk_pb2.ImportProductsResponse(summary=bulk_pb2.ImportProductsResponse.Summary(rows=received))
        yield bulk_pb2.ImportProductsResponse(rows=[bulk_pb2.ImportProductsResponse.Row(line=1)])

    async def ExportProducts(self, _: Any, context: Any) -> AsyncIterator[bulk_pb2.ExportProductsResponse]:
        await self._upstream.asked("ExportProducts", context)
        await context.send_initial_metadata((("x-products", "2"),))
        for text in ("sku\n", "A\n", "B\n"):
            yield bulk_pb2.ExportProductsResponse(
                file={"content_type": "text/csv; charset=utf-8", "data": text.encode()}, product_id=KNOWN
            )


class _Payments(payment_service_pb2_grpc.PaymentServiceServicer):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def ReceiveWebhook(self, request: Any, context: Any) -> payment_service_pb2.ReceiveWebhookResponse:
        await self._upstream.asked("ReceiveWebhook", context)
        self._upstream.event = request
        return payment_service_pb2.ReceiveWebhookResponse()


class _Notifications(notification_service_pb2_grpc.NotificationServiceServicer):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def ReceiveBounce(self, request: Any, context: Any) -> notification_service_pb2.ReceiveBounceResponse:
        await self._upstream.asked("ReceiveBounce", context)
        self._upstream.bounce = request
        return notification_service_pb2.ReceiveBounceResponse()


def _wrong(items: Iterable[Any]) -> errors.DomainError:
    fields = [f"items[{number}].sku" for number, item in enumerate(items) if not item.sku]
    violations = (errors.Violation(name, "must not be empty", "string.min_len") for name in fields)
    return errors.invalid("REQUEST_INVALID", "Some fields are wrong.", *violations)


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def reason(answer: Mapping[str, Any]) -> str:
    """The reason in the one error shape, which is checked on the way."""
    assert set(answer) == {"code", "message", "details"}, json.dumps(answer)
    assert answer["message"]
    (info,) = [each for each in answer["details"] if each["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"]
    assert info["domain"] in {"edge.souk", "order.souk"}
    return str(info["reason"])
