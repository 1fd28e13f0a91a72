"""Who may call what: every method of the contract, tried by everybody, and the tokens that nobody accepts."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway import contract
from services import registry
from services.chassis.rpc import identity
from tests.contract.world import World, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESCRIPTORS = Path(__file__).resolve().parents[2] / ".souk" / "gen" / "souk.binpb"
ROLES = ("CUSTOMER", "VENDOR", "ADMIN")
UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED


@cache
def contracted() -> contract.Contract:
    return contract.read(DESCRIPTORS.read_bytes(), registry.load().services)


@cache
def message_types() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file:
        pool.Add(file)
    return pool


def message_type(name: str) -> Any:
    return message_factory.GetMessageClass(message_types().FindMessageTypeByName(name))


EXPOSED = sorted(contracted().exposed, key=lambda method: method.full_name)
INTERNAL = [method for method in contracted().methods if not method.access.exposed]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(environment: Mapping[str, str]) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(urlsplit(environment["EDGE_URL"]).netloc) as channel:
        yield channel


def request_of(method: contract.Method) -> Any:
    """An empty request: it changes nothing, for whatever changes something needs a field, if its request has any."""
    return message_type(method.request)()


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call was refused."""

    code: grpc.StatusCode
    reason: str


async def outcome(channel: grpc.aio.Channel, method: contract.Method, **metadata: str) -> Refusal | None:
    """What became of a call with an empty request: why it was refused, or nothing when it was answered."""
    codec: dict[str, Any] = {
        "request_serializer": lambda message: message.SerializeToString(),
        "response_deserializer": message_type(method.response).FromString,
    }
    sent: dict[str, Any] = {"metadata": tuple(metadata.items()), "timeout": 10, "wait_for_ready": True}
    try:
        if method.client_streaming:
            await _streamed(channel, method, codec, sent)
        elif method.server_streaming:
            async for _ in channel.unary_stream(method.grpc_path, **codec)(request_of(method), **sent):
                break
        else:
            await channel.unary_unary(method.grpc_path, **codec)(request_of(method), **sent)
    except grpc.aio.AioRpcError as error:
        return Refusal(error.code(), _reason(error))
    return None


async def _streamed(
    channel: grpc.aio.Channel, method: contract.Method, codec: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Call a method that takes a stream. A refusal may come before the stream has ended, with a reset of the rest of it.

    gRPC's library then sometimes reports the reset in place of the refusal that came before it: the call is repeated.
    """
    for last in (False, False, True):
        try:
            async for _ in channel.stream_stream(method.grpc_path, **codec)(iter([request_of(method)]), **sent):
                break
        except grpc.aio.AioRpcError as error:
            if last or error.code() is not grpc.StatusCode.INTERNAL or "RST" not in (error.details() or ""):
                raise
        else:
            return


def _reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in an error's details, whose code is the call's."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # its types know only the blocking kind of call
    info = error_details_pb2.ErrorInfo()
    if status is None or not status.details or not status.details[0].Unpack(info):
        return f"{error.code().name}: {error.details()}"
    return str(info.reason)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def by_method(methods: list[contract.Method]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", methods, ids=lambda method: f"{method.service}.{method.name}")


@by_method(EXPOSED)
@pytest.mark.parametrize("role", ["nobody", *ROLES])
async def test_a_method_lets_in_whom_the_contract_names(
    world: World, edge: grpc.aio.Channel, method: contract.Method, role: str
) -> None:
    error = await outcome(edge, method, **bearer(world.people[role.lower()].token))

    if method.access.public or role in method.access.roles:
        assert error is None or error.code not in (UNAUTHENTICATED, DENIED), error
        if method.idempotency is not contract.Idempotency.SAFE and message_type(method.request).DESCRIPTOR.fields:
            # What changes something was let in, and then refused for its empty request.
            assert error is not None
            # The request of an upload is a piece of a file.
            assert error.reason == ("FILE_INVALID" if method.client_streaming else "REQUEST_INVALID")
    elif role == "nobody":
        assert error == Refusal(UNAUTHENTICATED, "TOKEN_MISSING")
    else:
        assert error == Refusal(DENIED, "ACCESS_DENIED")


@by_method(EXPOSED)
async def test_a_rest_route_of_the_contract_is_served(world: World, method: contract.Method) -> None:
    for rule in method.http:
        path = rule.path
        for name in rule.path_fields:
            path = path.replace(f"{{{name}}}", "Not-An-Id_")
        body: dict[str, Any] = {"json": {}} if rule.body else {}

        answer = await world.people["admin"].http.request(rule.verb, path, **body)

        if answer.status_code != 200:
            assert refusal(answer)[1] not in ("ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED", "REQUEST_MALFORMED")
        if not method.access.public:
            unknown = await world.people["nobody"].http.request(rule.verb, path, **body)
            assert refusal(unknown) == (401, "TOKEN_MISSING")


@by_method(INTERNAL)
async def test_a_method_for_services_is_not_reachable_through_the_edge(
    edge: grpc.aio.Channel, mesh: Callable[[str], str], method: contract.Method
) -> None:
    error = await outcome(edge, method, **{identity.MESH_HEADER: mesh(a_caller(method))})

    assert error == Refusal(grpc.StatusCode.UNIMPLEMENTED, "ROUTE_NOT_FOUND")


def a_caller(method: contract.Method) -> str:
    """A service that may call the method."""
    return next(service for service in registry.load().services if method.access.admits(service))


@pytest.fixture
def mesh(environment: Mapping[str, str]) -> Callable[[str], str]:
    """The mesh tokens of this installation's services, by name."""
    key = Path(environment["MESH_KEY_FILE"]).read_text().strip()
    return lambda service: identity.Mesh(key, service).token()


@by_method(INTERNAL)
async def test_a_method_for_services_takes_the_services_that_the_contract_names(
    environment: Mapping[str, str], mesh: Callable[[str], str], method: contract.Method
) -> None:
    async with grpc.aio.insecure_channel(environment[f"{method.service.upper()}_ADDR"]) as channel:
        for service in registry.load().services:
            error = await outcome(channel, method, **{identity.MESH_HEADER: mesh(service)})

            if method.access.admits(service):
                assert error is None or error.reason == "REQUEST_INVALID"
            else:
                assert error == Refusal(UNAUTHENTICATED, "TOKEN_MISSING")


@by_method(INTERNAL)
async def test_a_method_for_services_takes_no_person_and_no_forged_service(
    world: World, environment: Mapping[str, str], method: contract.Method
) -> None:
    forged = identity.Mesh("a-key-that-somebody-guessed-32-bytes", a_caller(method)).token()
    async with grpc.aio.insecure_channel(environment[f"{method.service.upper()}_ADDR"]) as channel:
        as_admin = await outcome(channel, method, **bearer(world.people["admin"].token))
        as_forger = await outcome(channel, method, **{identity.MESH_HEADER: forged})

    assert as_admin == Refusal(DENIED, "ACCESS_DENIED")
    assert as_forger == Refusal(UNAUTHENTICATED, "SERVICE_UNKNOWN")


def encoded(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": "https://souk.local", "aud": "souk", "sub": "0190a000-0000-7000-8000-000000000000"}
    return {**usual, "roles": ["ADMIN"], "iat": now, "exp": now + 600, **changed}


def unsigned(_: jwt.PyJWK) -> str:
    """A token that says it needs no signature."""
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims())}."


def signed_with_the_public_key(key: jwt.PyJWK) -> str:
    """A token whose forger hopes that the public key is taken for a shared secret."""
    public = key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': key.key_id})}.{encoded(claims())}"
    mac = hmac.new(public, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def signed_with_another_key(key: jwt.PyJWK) -> str:
    """A token that names our key but was signed with the forger's."""
    return jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": key.key_id})


FORGED = (unsigned, signed_with_the_public_key, signed_with_another_key)


@pytest_asyncio.fixture(loop_scope="module")
async def published(world: World) -> jwt.PyJWK:
    """The key that verifies tokens, as anybody may read it."""
    answer = await world.people["nobody"].http.get("/.well-known/jwks.json")
    return jwt.PyJWK(answer.json()["keys"][0])


def directly(environment: Mapping[str, str]) -> Iterator[tuple[contract.Method, str]]:
    """One guarded method of each service that has any, and the service's own address."""
    guarded = {method.service: method for method in EXPOSED if not method.access.public}
    return ((method, environment[f"{service.upper()}_ADDR"]) for service, method in guarded.items())


@pytest.mark.parametrize("forge", FORGED)
async def test_a_forged_token_is_refused_by_the_edge_and_by_every_service(
    world: World, environment: Mapping[str, str], published: jwt.PyJWK, forge: Callable[[jwt.PyJWK], str]
) -> None:
    token = forge(published)

    assert refusal(await ask_with(world, token)) == (401, "TOKEN_INVALID")
    for method, address in directly(environment):
        async with grpc.aio.insecure_channel(address) as channel:
            error = await outcome(channel, method, **bearer(token))
        assert error == Refusal(UNAUTHENTICATED, "TOKEN_INVALID"), method.full_name


async def ask_with(world: World, token: str) -> Any:
    return await world.people["nobody"].http.get("/api/v1/orders", headers=bearer(token))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": 1_700_000_000, "iat": 1_699_999_000}, "TOKEN_EXPIRED"),
        ({"aud": "another-shop"}, "TOKEN_INVALID"),
        ({"iss": "https://elsewhere.example"}, "TOKEN_INVALID"),
    ],
    ids=["expired", "for another", "by another"],
)
async def test_a_token_of_ours_that_does_not_fit_is_refused_by_the_edge_and_by_every_service(
    world: World, market: Any, environment: Mapping[str, str], changed: dict[str, Any], reason: str
) -> None:
    token = market.token(world.people["customer"].user_id, "CUSTOMER", **changed)

    assert refusal(await ask_with(world, token)) == (401, "TOKEN_INVALID")
    for method, address in directly(environment):
        async with grpc.aio.insecure_channel(address) as channel:
            error = await outcome(channel, method, **bearer(token))
        assert error == Refusal(UNAUTHENTICATED, reason), method.full_name


@pytest.mark.parametrize("header", ["", "Basic YWRhOnNlY3JldA==", "Bearer"])
async def test_no_token_is_told_from_a_bad_one(world: World, header: str) -> None:
    answer = await world.people["nobody"].http.get("/api/v1/orders", headers={"authorization": header})

    assert refusal(answer) == (401, "TOKEN_MISSING")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_who_calls_is_what_the_token_says_and_not_what_headers_say(
    world: World, mesh: Callable[[str], str]
) -> None:
    pretending = {
        "x-user-id": world.people["customer"].user_id,
        "x-jwt-sub": world.people["customer"].user_id,
        "x-souk-service": mesh("catalog"),
        "x-souk-roles": "ADMIN",
    }

    answer = await world.people["rival"].http.get(f"/api/v1/orders/{world.order_id}", headers=pretending)

    assert refusal(answer) == (404, "ORDER_NOT_FOUND")
