"""A service's real gRPC server for tests, and callers with tokens that it accepts.

async with calls.served(rpc.servicer(payments), "payment") as shop:
    stub = PaymentServiceStub(shop.channel)
    await stub.GetPayment(request, metadata=shop.as_user(user_id))
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis import errors
from services.chassis.rpc import certificates, identity, revocations, server, status
from tests.support import ports

ISSUER = identity.Issuer("https://souk.test", "souk")
KEY_ID = "test-key"
MESH_KEY = "mesh-key-of-the-tests-32-bytes-long"
REFLECTED = server.Extras(reflected=True)


@dataclass(frozen=True)
class Shop:
    """A running server: its address, a channel to it, and the key that signs tokens for it."""

    address: str
    channel: grpc.aio.Channel
    key: ec.EllipticCurvePrivateKey

    def as_user(self, user_id: str, *roles: str) -> tuple[tuple[str, str], ...]:
        """Metadata of a call made by this user, a CUSTOMER when no roles are given."""
        return self.as_token(self.token(user_id, roles or ("CUSTOMER",)))

    def as_token(self, token: str) -> tuple[tuple[str, str], ...]:
        """Metadata of a call made with this access token."""
        return (("authorization", f"Bearer {token}"),)

    def as_service(self, name: str) -> tuple[tuple[str, str], ...]:
        """Metadata of a call made by this service of the mesh."""
        return ((identity.MESH_HEADER, identity.Mesh(MESH_KEY, name).token()),)

    def token(self, user_id: str, roles: tuple[str, ...], *, lifetime_s: int = 60, sign_in: str = "") -> str:
        """An access token as the user service makes it."""
        now = int(time.time())
        claims = {"sub": user_id, "roles": list(roles), "iat": now, "exp": now + lifetime_s, identity.SIGN_IN: sign_in}
        claims |= {"iss": ISSUER.issuer, "aud": ISSUER.audience}
        return jwt.encode(claims, self.key, algorithm=identity.ALGORITHM, headers={"kid": KEY_ID})


@asynccontextmanager
async def served(
    servicer: server.Servicer,
    service: str,
    *,
    extras: server.Extras = REFLECTED,
    own: certificates.Certificates | None = None,
    revoked: revocations.Revocations | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> AsyncIterator[Shop]:
    """A server with this servicer behind everything that the chassis puts around it. With `own`, it speaks mutual TLS.

    It refuses the tokens that `revoked` lists, and accepts those signed with `key`, a new one by default.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    public = jwt.PyJWK(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": KEY_ID}, "ES256")

    async def fetch() -> Mapping[str, jwt.PyJWK]:
        return {KEY_ID: public}

    gate = identity.Gate(identity.Tokens(ISSUER, fetch, revoked), identity.Mesh(MESH_KEY, service, own))
    address = ports.free_address()
    running = server.Server(service, address, gate, servicer, extras)
    await running.start()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield Shop(address, channel, key)
    finally:
        await running.stop()


async def refused(call: Any) -> errors.DomainError:
    """The error that a call ends with, as a service of the mesh would see it. Fails when the call succeeds."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        parsed = status.parse(error)
        assert isinstance(parsed, errors.DomainError)
        return parsed
    raise AssertionError(f"not refused: {answer}")
