"""What happens around every call: who may, what is valid, how long, and how errors cross, on a real gRPC server."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis import errors, metrics
from services.chassis.errors import Code
from services.chassis.rpc import client, identity, server, serving
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from tests.support import calls

USER = "01900000-0000-7000-8000-0000000000aa"
ORDER = "01900000-0000-7000-8000-000000000001"
# Servicers that leave most methods out, which their types forbid.
_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer
_CATALOG: Any = catalog_service_pb2_grpc.CatalogServiceServicer
DESCRIPTOR = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]


class Orders(_ORDERS):  # type: ignore[misc]  # as above
    """Does what a test says, and remembers who called."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.takes_s = 0.0
        self.caller = identity.NOBODY
        self.request: Any = None
        self.entered = asyncio.Event()

    async def _answer(self, request: Any) -> order_pb2.Order:
        self.caller, self.request = identity.caller(), request
        self.entered.set()
        await asyncio.sleep(self.takes_s)
        if self.raises:
            raise self.raises
        return order_pb2.Order(id=ORDER)

    async def GetOrder(self, request: Any, _: Any) -> order_pb2.Order:
        return await self._answer(request)

    async def CreateOrder(self, request: Any, _: Any) -> order_pb2.Order:
        return await self._answer(request)

    async def WatchOrder(self, request: Any, _: Any) -> AsyncIterator[order_pb2.OrderEvent]:
        yield order_pb2.OrderEvent(sequence=1)
        await self._answer(request)


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest_asyncio.fixture
async def shop(orders: Orders) -> AsyncIterator[calls.Shop]:
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(DESCRIPTOR, add, orders), "order") as running:
        yield running


@pytest.fixture
def stub(shop: calls.Shop) -> Any:
    return order_service_pb2_grpc.OrderServiceStub(shop.channel)


GET = order_service_pb2.GetOrderRequest(id=ORDER)


async def test_a_call_with_a_good_token_is_served_and_knows_its_caller(
    shop: calls.Shop, stub: Any, orders: Orders
) -> None:
    assert (await stub.GetOrder(GET, metadata=shop.as_user(USER))).id == ORDER
    assert orders.caller == identity.Caller(user_id=USER, roles=frozenset({"CUSTOMER"}))


async def test_what_cannot_be_parsed_is_refused_by_a_reason_and_reaches_no_method(
    shop: calls.Shop, orders: Orders, caplog: pytest.LogCaptureFixture
) -> None:
    not_utf8 = b"\x0a\x02\xff\xfe"
    call: Any = shop.channel.unary_unary(f"/{DESCRIPTOR.full_name}/GetOrder")
    watch: Any = shop.channel.unary_stream(f"/{DESCRIPTOR.full_name}/WatchOrder")

    for sent in (not_utf8, b"\xff"):
        error = await calls.refused(call(sent, metadata=shop.as_user(USER)))
        assert (error.code, error.reason, error.domain) == (Code.INVALID_ARGUMENT, "REQUEST_MALFORMED", "order")
    assert (await calls.refused(watch(not_utf8, metadata=shop.as_user(USER)).read())).reason == "REQUEST_MALFORMED"
    assert not orders.entered.is_set()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("before", ["Bearer ", "BEARER ", "bearer   "])
async def test_the_schemes_name_is_in_any_case_and_spaces_follow(shop: calls.Shop, stub: Any, before: str) -> None:
    metadata = (("authorization", f"{before}{shop.token(USER, ('CUSTOMER',))}"),)

    assert (await stub.GetOrder(GET, metadata=metadata)).id == ORDER


async def test_what_cannot_be_parsed_says_nothing_to_who_may_not_call(shop: calls.Shop) -> None:
    call: Any = shop.channel.unary_unary(f"/{DESCRIPTOR.full_name}/GetOrder")
    assert (await calls.refused(call(b"\xff"))).reason == "TOKEN_MISSING"


async def test_a_domain_error_arrives_as_it_was_raised(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    violation = errors.Violation("items[0].sku", "not for sale", "SKU_UNKNOWN")
    orders.raises = errors.DomainError(
        Code.INVALID_ARGUMENT, "SKU_UNKNOWN", "wrong", {"sku": "X"}, (violation,), retry_after_s=1.5
    )
    error = await calls.refused(stub.GetOrder(GET, metadata=shop.as_user(USER)))
    assert (error.code, error.reason, error.message, error.metadata) == (
        Code.INVALID_ARGUMENT,
        "SKU_UNKNOWN",
        "wrong",
        {"sku": "X"},
    )
    assert (error.violations, error.retry_after_s, error.domain) == ((violation,), 1.5, "order")


async def test_an_error_in_the_middle_of_a_stream_arrives_too(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    orders.raises = errors.not_found("ORDER_NOT_FOUND", "no such order")
    stream = stub.WatchOrder(order_service_pb2.WatchOrderRequest(id=ORDER), metadata=shop.as_user(USER))
    assert (await stream.read()).sequence == 1
    assert (await calls.refused(stream.read())).reason == "ORDER_NOT_FOUND"


async def test_a_defect_does_not_show_its_text(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    orders.raises = RuntimeError("password=hunter2")
    call = stub.GetOrder(GET, metadata=(*shop.as_user(USER), ("x-request-id", "r-77")))
    error = await calls.refused(call)
    assert (error.code, error.reason) == (Code.INTERNAL, "INTERNAL")
    assert "hunter2" not in repr(error)
    assert error.metadata["request_id"] == "r-77"


async def test_a_reason_that_the_contract_does_not_name_arrives_and_alarms(
    shop: calls.Shop, stub: Any, orders: Orders, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = metrics.ALARMS.labels("order", serving.UNNAMED)._value
    before = alarms.get()
    for named in ("ORDER_NOT_FOUND", "ACCESS_DENIED"):
        orders.raises = errors.not_found(named, "named for the method, or for all")
        await calls.refused(stub.GetOrder(GET, metadata=shop.as_user(USER)))
    assert alarms.get() == before
    orders.raises = errors.precondition("SAGA_NOT_STUCK", "named for another method")
    assert (await calls.refused(stub.GetOrder(GET, metadata=shop.as_user(USER)))).reason == "SAGA_NOT_STUCK"
    assert alarms.get() == before + 1
    [said] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (said.__dict__["method"], said.__dict__["reason"]) == (f"/{DESCRIPTOR.full_name}/GetOrder", "SAGA_NOT_STUCK")


async def test_a_callers_request_id_does_not_fill_the_log(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    orders.raises = RuntimeError("broken")
    error = await calls.refused(stub.GetOrder(GET, metadata=(*shop.as_user(USER), ("x-request-id", "r" * 5000))))
    assert error.metadata["request_id"] == "r" * 64


async def test_something_away_is_unavailable_and_says_when_to_come_back(
    shop: calls.Shop, stub: Any, orders: Orders
) -> None:
    orders.raises = errors.TransientError("database: away")
    error = await calls.refused(stub.GetOrder(GET, metadata=shop.as_user(USER), wait_for_ready=False))
    assert (error.code, error.reason, error.retry_after_s) == (Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", 1.0)


async def test_every_wrong_field_is_named_at_once(shop: calls.Shop, stub: Any) -> None:
    item = order_service_pb2.CreateOrderRequest.Item(sku="", quantity=0)
    request = order_service_pb2.CreateOrderRequest(items=[item], payment_method="4242424242424242")
    error = await calls.refused(stub.CreateOrder(request, metadata=shop.as_user(USER)))
    assert error.reason == "REQUEST_INVALID"
    named = {violation.field for violation in error.violations}
    assert named == {"items[0].sku", "items[0].quantity", "shipping_address", "payment_method"}


async def test_the_idempotency_key_header_is_the_request_id(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    request = order_service_pb2.CreateOrderRequest(
        items=[order_service_pb2.CreateOrderRequest.Item(sku="TEA", quantity=1)], payment_method="card_approved"
    )
    request.shipping_address.line1, request.shipping_address.city, request.shipping_address.country = "1", "T", "GB"
    await stub.CreateOrder(request, metadata=(*shop.as_user(USER), ("idempotency-key", "k1")))
    assert orders.request.request_id == "k1"
    request.request_id = "own"
    orders.entered.clear()
    other = stub.CreateOrder(request, metadata=(*shop.as_user(USER), ("idempotency-key", "k1")))
    assert (await calls.refused(other)).reason == "IDEMPOTENCY_KEY_MISMATCH"
    assert not orders.entered.is_set()


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("", "TOKEN_MISSING"),
        ("Basic x", "TOKEN_MISSING"),
        ("Bearer rubbish", "TOKEN_INVALID"),
        ("Bearer ", "TOKEN_MISSING"),
    ],
)
async def test_without_a_good_token_nobody_gets_in(stub: Any, orders: Orders, scheme: str, reason: str) -> None:
    error = await calls.refused(stub.GetOrder(GET, metadata=(("authorization", scheme),)))
    assert (error.code, error.reason) == (Code.UNAUTHENTICATED, reason)
    assert not orders.entered.is_set()


def forged(shop: calls.Shop, how: str) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": USER,
        "roles": ["ADMIN"],
        "iat": now,
        "exp": now + 60,
        "iss": "https://souk.test",
        "aud": "souk",
    }
    headers = {"kid": calls.KEY_ID}
    if how == "none":
        return jwt.encode(claims, "", algorithm="none", headers=headers)
    if how == "another key":
        return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers=headers)
    if how == "symmetric":
        return jwt.encode(claims, "a secret that is long enough for HS256", algorithm="HS256", headers=headers)
    changes: dict[str, dict[str, Any]] = {
        "expired": {"exp": now - 1},
        "another audience": {"aud": "other"},
        "another issuer": {"iss": "https://evil.test"},
        "endless": {"exp": None},
    }
    claims = {name: value for name, value in (claims | changes.get(how, {})).items() if value is not None}
    kid = "unknown" if how == "unknown key" else calls.KEY_ID
    return jwt.encode(claims, shop.key, algorithm="ES256", headers={"kid": kid})


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("none", "TOKEN_INVALID"),
        ("another key", "TOKEN_INVALID"),
        ("symmetric", "TOKEN_INVALID"),
        ("expired", "TOKEN_EXPIRED"),
        ("another audience", "TOKEN_INVALID"),
        ("another issuer", "TOKEN_INVALID"),
        ("endless", "TOKEN_INVALID"),
        ("unknown key", "TOKEN_INVALID"),
    ],
)
async def test_a_forged_token_is_refused(shop: calls.Shop, stub: Any, how: str, reason: str) -> None:
    error = await calls.refused(stub.GetOrder(GET, metadata=(("authorization", f"Bearer {forged(shop, how)}"),)))
    assert error.reason == reason


async def test_a_token_that_was_accepted_is_refused_once_it_ends(shop: calls.Shop, stub: Any) -> None:
    token = shop.token(USER, ("CUSTOMER",), lifetime_s=1)
    await stub.GetOrder(GET, metadata=(("authorization", f"Bearer {token}"),))

    async def ended() -> bool:
        try:
            await stub.GetOrder(GET, metadata=(("authorization", f"Bearer {token}"),))
        except grpc.aio.AioRpcError as error:
            return error.code() is grpc.StatusCode.UNAUTHENTICATED
        return False

    async with asyncio.timeout(20):
        while not await ended():
            await asyncio.sleep(0.05)


async def test_a_role_that_the_rule_does_not_name_is_denied(shop: calls.Shop, stub: Any) -> None:
    request = order_service_pb2.ResumeOrderRequest(id=ORDER)
    error = await calls.refused(stub.ResumeOrder(request, metadata=shop.as_user(USER, "CUSTOMER")))
    assert (error.code, error.reason) == (Code.PERMISSION_DENIED, "ACCESS_DENIED")


class Catalog(_CATALOG):  # type: ignore[misc]  # as above
    """Sells one thing to services."""

    def __init__(self) -> None:
        self.refusals = 0

    async def BatchGetOffers(self, request: Any, _: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise errors.TransientError("away for a moment")
        offers = [product_pb2.Offer(sku=sku) for sku in request.skus]
        return catalog_service_pb2.BatchGetOffersResponse(offers=offers)


@pytest.mark.parametrize(
    ("service", "reason"), [("order", ""), ("payment", "TOKEN_MISSING"), ("order with another key", "SERVICE_UNKNOWN")]
)
async def test_a_method_for_services_takes_only_those_it_names(service: str, reason: str) -> None:
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    async with calls.served(server.Servicer(CATALOG, add, Catalog()), "catalog") as shop:
        stub = catalog_service_pb2_grpc.CatalogServiceStub(shop.channel)
        metadata = shop.as_service(service)
        if reason == "SERVICE_UNKNOWN":
            metadata = ((identity.MESH_HEADER, identity.Mesh("k" * 32, "order").token()),)
        call = stub.BatchGetOffers(catalog_service_pb2.BatchGetOffersRequest(skus=["A"]), metadata=metadata)
        if reason:
            assert (await calls.refused(call)).reason == reason
        else:
            assert [offer.sku for offer in (await call).offers] == ["A"]


async def test_a_peer_repeats_what_the_contract_calls_repeatable() -> None:
    catalog = Catalog()
    catalog.refusals = 2
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    async with calls.served(server.Servicer(CATALOG, add, catalog), "catalog") as shop:
        peer = client.Peer(shop.address, CATALOG, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
        stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)
        answer = await peer.call(stub.BatchGetOffers, catalog_service_pb2.BatchGetOffersRequest(skus=["A"]))
        assert len(answer.offers) == 1
        await peer.stop()


async def test_a_peer_that_is_not_there_is_an_outage() -> None:
    peer = client.Peer("127.0.0.1:9", CATALOG, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
    stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)
    with pytest.raises(errors.TransientError):
        await peer.call(stub.BatchGetOffers, catalog_service_pb2.BatchGetOffersRequest(skus=["A"]), timeout_s=1)
    await peer.stop()


async def test_the_callers_deadline_ends_the_work(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    orders.takes_s = 10
    started = time.monotonic()
    error = await calls.refused(stub.GetOrder(GET, metadata=shop.as_user(USER), timeout=0.5))
    assert (error.code, error.reason) == (Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"), (
        "with its reason, not a bare one"
    )
    assert time.monotonic() - started < 2


async def test_without_a_deadline_the_contracts_counts(shop: calls.Shop, stub: Any, orders: Orders) -> None:
    orders.takes_s = 10
    error = await calls.refused(stub.GetOrder(GET, metadata=shop.as_user(USER)))
    assert (error.code, error.reason) == (Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


async def test_health_and_reflection_answer_without_a_token(shop: calls.Shop) -> None:
    health: Any = health_pb2_grpc.HealthStub(shop.channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(service=DESCRIPTOR.full_name))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    channel: Any = shop.channel  # the stubs know only the blocking kind
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    stream = reflection.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    listed = [service.name for service in (await stream.read()).list_services_response.service]
    assert DESCRIPTOR.full_name in listed
    stream.cancel()


async def test_a_server_shows_its_contract_only_when_it_is_told_to(orders: Orders) -> None:
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(DESCRIPTOR, add, orders), "order", extras=server.Extras()) as closed:
        channel: Any = closed.channel
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        stream = reflection.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stream.read()

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_drain_finishes_the_call_that_is_being_served(orders: Orders) -> None:
    orders.takes_s = 0.5
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(DESCRIPTOR, add, orders), "order") as shop:
        # A channel of its own: the other one closes with the block, before the server drains.
        channel = grpc.aio.insecure_channel(shop.address)
        stub = order_service_pb2_grpc.OrderServiceStub(channel)
        call = stub.GetOrder(GET, metadata=shop.as_user(USER))
        await orders.entered.wait()
    assert (await call).id == ORDER
    await channel.close()


async def test_two_servers_cannot_share_a_port(orders: Orders) -> None:
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    servicer = server.Servicer(DESCRIPTOR, add, orders)
    async with calls.served(servicer, "order") as shop:
        fetch: Any = None
        gate = identity.Gate(identity.Tokens(calls.ISSUER, fetch), identity.Mesh(calls.MESH_KEY, "order"))
        second = server.Server("order", shop.address, gate, servicer, server.Extras())
        with pytest.raises(OSError, match="in use"):
            await second.start()
