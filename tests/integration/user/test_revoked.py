"""Access tokens that are revoked are refused by the user service itself, and by every service that asks it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from services import registry, signing_keys
from services.chassis import assembly, clock, errors
from services.chassis.rpc import client, identity, revocations
from services.user import main
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc
from tests.integration.user import test_calls
from tests.support import calls, polling

ISSUER = identity.Issuer("https://souk.local", "souk")


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "USER_LISTEN": f"unix:{tmp_path}/user.sock",
        "USER_DATABASE_URL": database_url,
        "USER_SIGNING_KEY_DIR": str(test_calls.write_key(tmp_path / "of_the_service")),
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "NOTIFICATION_ADDR": "127.0.0.1:1",
        "MESH_KEY": calls.MESH_KEY,
    }


class Order:
    """What another service has of all this: its own list, and the gate behind it."""

    def __init__(self, peer: client.Peer) -> None:
        authority = signing_keys.fetched_from(peer)
        self.revoked = revocations.Revocations("order", authority.revoked)
        self.tokens = identity.Tokens(ISSUER, authority.keys, self.revoked)

    async def refuses(self, token: str) -> bool:
        try:
            await self.tokens.verify(token)
        except errors.DomainError as error:
            return error.reason == "TOKEN_REVOKED"
        return False


@pytest_asyncio.fixture
async def order(environ: dict[str, str]) -> AsyncIterator[Order]:
    parts = main.build(assembly.Host(environ, assembly.SERVE, "test", clock.utc_now, registry.load().services))
    for part in parts:
        await part.start()
    mesh = identity.Mesh(calls.MESH_KEY, "order")
    peer = client.Peer(environ["USER_LISTEN"], signing_keys.DESCRIPTOR, mesh, traced=False)
    made = Order(peer)
    await made.revoked.start()
    yield made
    await made.revoked.stop()
    await peer.stop()
    for part in reversed(parts):
        await part.stop()


async def test_a_new_password_and_a_logout_end_access_everywhere_within_seconds(
    order: Order, environ: dict[str, str]
) -> None:
    async with grpc.aio.insecure_channel(environ["USER_LISTEN"]) as channel:
        user = user_service_pb2_grpc.UserServiceStub(channel)
        ann, bob = [await user.Register(test_calls.registration()) for _ in range(2)]
        assert not await order.refuses(ann.access_token)
        assert not await order.refuses(bob.access_token)
        me = (("authorization", f"Bearer {ann.access_token}"),)
        change = user_service_pb2.UpdateMeRequest(current_password=test_calls.PASSWORD, new_password="another password")
        await user.UpdateMe(change, metadata=me)
        await user.Logout(user_service_pb2.LogoutRequest(refresh_token=bob.refresh_token))

        async def refused_everywhere() -> bool:
            await asyncio.sleep(0.1)
            call = user.GetMe(user_service_pb2.GetMeRequest(), metadata=me)
            own = await asyncio.gather(call, return_exceptions=True)
            here = isinstance(own[0], grpc.aio.AioRpcError) and own[0].code() is grpc.StatusCode.UNAUTHENTICATED
            return here and await order.refuses(ann.access_token) and await order.refuses(bob.access_token)

        await polling.eventually(refused_everywhere, within_s=15)
        again = await user.Login(user_service_pb2.LoginRequest(email=ann.user.email, password="another password"))
        assert not await order.refuses(again.access_token)


async def test_nobody_but_services_asks_what_was_revoked(order: Order, environ: dict[str, str]) -> None:
    async with grpc.aio.insecure_channel(environ["USER_LISTEN"]) as channel:
        user = user_service_pb2_grpc.UserServiceStub(channel)
        refused = await calls.refused(user.GetRevocations(user_service_pb2.GetRevocationsRequest()))
    assert refused.reason in {"TOKEN_MISSING", "ACCESS_DENIED"}
    assert isinstance(order, Order)
