"""Where the keys of access tokens come from: the user service's contract. Every service that lets people in asks it."""

from collections.abc import Mapping

import jwt

from services.chassis import assembly
from services.chassis.rpc import client, identity
from souk.user.v1 import user_service_pb2, user_service_pb2_grpc

DESCRIPTOR = user_service_pb2.DESCRIPTOR.services_by_name["UserService"]


def fetched_from(peer: client.Peer) -> identity.FetchKeys:
    """Asks the user service for its public keys. Raises TransientError when it is away."""
    stub = user_service_pb2_grpc.UserServiceStub(peer.channel)

    async def fetch() -> Mapping[str, jwt.PyJWK]:
        answer = await peer.call(stub.GetJwks, user_service_pb2.GetJwksRequest())
        names = ("kty", "crv", "x", "y", "kid", "alg", "use")
        return assembly.keys_of([{name: getattr(key, name) for name in names} for key in answer.keys])

    return fetch
