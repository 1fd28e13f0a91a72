"""Who says which access tokens count: the user service, by its contract. Every service that lets people in asks it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import jwt

from services.chassis import assembly
from services.chassis.rpc import client, identity, render, revocations
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc

DESCRIPTOR = user_service_pb2.DESCRIPTOR.services_by_name["UserService"]


class UserService:
    """Asks the user service. Raises TransientError when it is unavailable."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = user_service_pb2_grpc.UserServiceStub(peer.channel)

    async def keys(self) -> Mapping[str, jwt.PyJWK]:
        """Its public keys, by key id."""
        answer = await self._peer.call(self._stub.GetJwks, user_service_pb2.GetJwksRequest())
        names = ("kty", "crv", "x", "y", "kid", "alg", "use")
        return assembly.keys_of([{name: getattr(key, name) for name in names} for key in answer.keys])

    async def revoked(self, since: datetime | None) -> revocations.News:
        """The access tokens that were revoked since then, or all that still matter."""
        request = user_service_pb2.GetRevocationsRequest(since=render.timestamp(since) if since else None)
        answer = await self._peer.call(self._stub.GetRevocations, request)
        found = [
            revocations.Revocation(item.subject_id, item.least_version, item.expire_time.ToNanoseconds() / 1e9)
            for item in answer.revocations
        ]
        return revocations.News(found, answer.next_since.ToDatetime(UTC), answer.more)


def fetched_from(peer: client.Peer) -> identity.Authority:
    """The user service at this peer."""
    return UserService(peer)
