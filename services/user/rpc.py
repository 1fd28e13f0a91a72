"""The user service's calls: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.chassis.rpc import identity, render, server
from services.user import domain, usecases
from souk.user.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc

DESCRIPTOR = user_service_pb2.DESCRIPTOR.services_by_name["UserService"]
TOKEN_TYPE = "Bearer"  # noqa: S105 - the scheme's name is no secret


class UserServicer(user_service_pb2_grpc.UserServiceServicer):
    """`souk.user.v1.UserService`; what each method promises stands in the contract."""

    def __init__(self, accounts: usecases.Accounts) -> None:
        self._accounts = accounts

    async def Register(self, request: user_service_pb2.RegisterRequest, _: Any) -> user_service_pb2.Session:
        wanted = domain.Registration(request.email, request.password, request.display_name)
        return _session_message(await self._accounts.register(wanted))

    async def Login(self, request: user_service_pb2.LoginRequest, _: Any) -> user_service_pb2.Session:
        return _session_message(await self._accounts.login(request.email, request.password))

    async def GetMe(self, request: user_service_pb2.GetMeRequest, _: Any) -> user_pb2.User:  # noqa: ARG002 - it says nothing
        return user_message(await self._accounts.get(identity.caller().user_id))

    async def GetJwks(self, request: user_service_pb2.GetJwksRequest, _: Any) -> user_service_pb2.JwkSet:  # noqa: ARG002 - it says nothing
        return user_service_pb2.JwkSet(keys=[_key_message(key) for key in self._accounts.public_keys()])


def servicer(accounts: usecases.Accounts) -> server.Servicer:
    """The servicer, ready to be served."""
    add = user_service_pb2_grpc.add_UserServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, UserServicer(accounts))


def user_message(user: domain.User) -> user_pb2.User:
    """An account as the contract shows it."""
    return user_pb2.User(
        id=user.id,
        email=user.email,
        display_name=user.display_name,
        roles=[user_pb2.User.Role.Value(role) for role in user.roles],
        create_time=render.timestamp(user.create_time),
    )


def _session_message(session: domain.Session) -> user_service_pb2.Session:
    return user_service_pb2.Session(
        access_token=session.access_token,
        token_type=TOKEN_TYPE,
        expire_time=render.timestamp(session.expire_time),
        user=user_message(session.user),
    )


def _key_message(key: domain.PublicKey) -> user_service_pb2.Jwk:
    return user_service_pb2.Jwk(kty="EC", crv="P-256", x=key.x, y=key.y, kid=key.id, alg=identity.ALGORITHM, use="sig")
