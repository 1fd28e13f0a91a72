"""The user service's calls: parse, call the use case, render. Next stop: `usecases/`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from services.chassis.rpc import identity, render, revocations, server
from services.user import domain, messages, tokens, usecases
from souk.user.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc

DESCRIPTOR = user_service_pb2.DESCRIPTOR.services_by_name["UserService"]


class UserServicer(user_service_pb2_grpc.UserServiceServicer):
    """`souk.user.v1.UserService`; what each method promises stands in the contract."""

    def __init__(self, accounts: usecases.Accounts, sessions: usecases.Sessions) -> None:
        self._accounts = accounts
        self._sessions = sessions

    async def Register(self, request: user_service_pb2.RegisterRequest, context: Any) -> user_service_pb2.Session:
        wanted = domain.Registration(
            request.email, request.password, request.display_name, identity.client_address(context)
        )
        return messages.of_session(await self._accounts.register(wanted))

    async def Login(self, request: user_service_pb2.LoginRequest, context: Any) -> user_service_pb2.Session:
        address = identity.client_address(context)
        return messages.of_session(await self._accounts.login(request.email, request.password, address=address))

    async def Refresh(self, request: user_service_pb2.RefreshRequest, _: Any) -> user_service_pb2.Session:
        return messages.of_session(await self._sessions.refresh(request.refresh_token))

    async def Logout(self, request: user_service_pb2.LogoutRequest, _: Any) -> user_service_pb2.LogoutResponse:
        await self._sessions.end(request.refresh_token)
        return user_service_pb2.LogoutResponse()

    async def GetMe(self, request: user_service_pb2.GetMeRequest, _: Any) -> user_pb2.User:  # noqa: ARG002 - it says nothing
        return messages.of_user(await self._accounts.get(identity.caller().user_id))

    async def UpdateMe(self, request: user_service_pb2.UpdateMeRequest, _: Any) -> user_pb2.User:
        change = domain.ProfileChange(
            request.display_name if request.HasField("display_name") else None,
            request.current_password,
            request.new_password if request.HasField("new_password") else None,
        )
        return messages.of_user(await self._accounts.update(identity.caller().user_id, change))

    async def SetUserRoles(self, request: user_service_pb2.SetUserRolesRequest, _: Any) -> user_pb2.User:
        roles = [domain.Role(user_pb2.User.Role.Name(role)) for role in request.roles]
        user = await self._accounts.set_roles(request.id.lower(), roles, admin_id=identity.caller().user_id)
        return messages.of_user(user)

    async def GetRevocations(
        self, request: user_service_pb2.GetRevocationsRequest, _: Any
    ) -> user_service_pb2.GetRevocationsResponse:
        since = request.since.ToDatetime(UTC) if request.HasField("since") else None
        revoked = await self._sessions.revocations(since)
        return user_service_pb2.GetRevocationsResponse(
            revocations=[messages.of_revocation(revocation) for revocation in revoked.revocations],
            next_since=render.timestamp(revoked.next_since),
            more=revoked.more,
        )

    async def GetJwks(self, request: user_service_pb2.GetJwksRequest, _: Any) -> user_service_pb2.JwkSet:  # noqa: ARG002 - it says nothing
        return user_service_pb2.JwkSet(keys=[messages.of_key(key) for key in self._sessions.public_keys()])


class Authority:
    """Which access tokens count, for the service that makes them: what others ask for by a call."""

    def __init__(self, keys: tokens.KeyRing, sessions: usecases.Sessions) -> None:
        self._keys = keys
        self._sessions = sessions

    async def keys(self) -> Mapping[str, jwt.PyJWK]:
        """The public keys, by key id."""
        return await self._keys.verifying()

    async def revoked(self, since: datetime | None) -> revocations.News:
        """The tokens that were revoked since then, or all that still matter. Raises TransientError."""
        revoked = await self._sessions.revocations(since)
        found = [
            revocations.Revocation(item.subject_id, item.least_version, item.expire_time.timestamp())
            for item in revoked.revocations
        ]
        return revocations.News(found, revoked.next_since, revoked.more)


def servicer(accounts: usecases.Accounts, sessions: usecases.Sessions) -> server.Servicer:
    """The servicer, ready to be served."""
    add = user_service_pb2_grpc.add_UserServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, UserServicer(accounts, sessions))
