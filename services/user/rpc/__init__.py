"""The user service's calls: parse, call the use case, render. Next stop: `usecases/`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from services.chassis import idempotency
from services.chassis.rpc import identity, page_tokens, render, revocations, server
from services.user import domain, messages, tokens, usecases
from services.user.domain import payment_methods
from services.user.rpc.providers import ProviderCalls
from services.user.rpc.vendors import VendorCalls
from souk.user.v1 import (
    address_book_pb2,
    erasure_pb2,
    payment_methods_pb2,
    preferences_pb2,
    proofs_pb2,
    role_changes_pb2,
    second_factor_pb2,
    sign_ins_pb2,
    user_pb2,
    user_service_pb2,
    user_service_pb2_grpc,
)

DESCRIPTOR = user_service_pb2.DESCRIPTOR.services_by_name["UserService"]


class UserServicer(ProviderCalls, VendorCalls, user_service_pb2_grpc.UserServiceServicer):
    """`souk.user.v1.UserService`; what each method promises stands in the contract."""

    def __init__(self, users: usecases.Users, tokens: page_tokens.PageTokens) -> None:
        self._accounts = users.accounts
        self._sessions = users.sessions
        self._users = users
        self._tokens = tokens

    async def Register(self, request: user_service_pb2.RegisterRequest, context: Any) -> user_service_pb2.Session:
        wanted = domain.Registration(
            request.email,
            request.password,
            request.display_name,
            identity.client_address(context),
            identity.user_agent(context),
        )
        return messages.of_session(await self._accounts.register(wanted))

    async def Login(self, request: user_service_pb2.LoginRequest, context: Any) -> user_service_pb2.Session:
        origin = domain.Origin(identity.client_address(context), identity.user_agent(context))
        session = await self._accounts.login(request.email, request.password, code=request.code, origin=origin)
        return messages.of_session(session)

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
        user = await self._accounts.set_roles(
            request.id.lower(), roles, admin_id=identity.caller().user_id, reason=request.reason
        )
        return messages.of_user(user)

    async def ListRoleChanges(
        self, request: role_changes_pb2.ListRoleChangesRequest, _: Any
    ) -> role_changes_pb2.ListRoleChangesResponse:
        changes = await self._accounts.role_changes(request.id.lower())
        return role_changes_pb2.ListRoleChangesResponse(changes=[messages.of_role_change(one) for one in changes])

    async def ListSignIns(self, _request: sign_ins_pb2.ListSignInsRequest, _: Any) -> sign_ins_pb2.ListSignInsResponse:
        caller = identity.caller()
        found = await self._sessions.list(caller.user_id)
        shown = [messages.of_sign_in(one, current=one.id == caller.sign_in) for one in found]
        return sign_ins_pb2.ListSignInsResponse(sessions=shown)

    async def EndSignIn(self, request: sign_ins_pb2.EndSignInRequest, _: Any) -> sign_ins_pb2.EndSignInResponse:
        await self._sessions.end_one(identity.caller().user_id, request.id.lower())
        return sign_ins_pb2.EndSignInResponse()

    async def RequestPasswordReset(
        self, request: proofs_pb2.RequestPasswordResetRequest, _: Any
    ) -> proofs_pb2.RequestPasswordResetResponse:
        await self._users.proving.request_reset(request.email)
        return proofs_pb2.RequestPasswordResetResponse()

    async def ResetPassword(
        self, request: proofs_pb2.ResetPasswordRequest, context: Any
    ) -> proofs_pb2.ResetPasswordResponse:
        address = identity.client_address(context)
        await self._users.proving.reset(request.token, request.new_password, address=address)
        return proofs_pb2.ResetPasswordResponse()

    async def RequestEmailVerification(
        self, _request: proofs_pb2.RequestEmailVerificationRequest, _: Any
    ) -> proofs_pb2.RequestEmailVerificationResponse:
        await self._users.proving.request_verification(identity.caller().user_id)
        return proofs_pb2.RequestEmailVerificationResponse()

    async def VerifyEmail(self, request: proofs_pb2.VerifyEmailRequest, _: Any) -> proofs_pb2.VerifyEmailResponse:
        await self._users.proving.verify(request.token)
        return proofs_pb2.VerifyEmailResponse()

    async def ExportMe(self, _request: erasure_pb2.ExportMeRequest, _: Any) -> erasure_pb2.Export:
        caller = identity.caller()
        users, user_id = self._users, caller.user_id
        return erasure_pb2.Export(
            user=messages.of_user(await self._accounts.get(user_id)),
            preferences=messages.of_preferences(await users.preferences.get(user_id)),
            addresses=[messages.of_address(saved) for saved in await users.addresses.list(user_id)],
            payment_methods=[messages.of_method(method) for method in await users.wallet.list(user_id)],
            sessions=[
                messages.of_sign_in(one, current=one.id == caller.sign_in) for one in await self._sessions.list(user_id)
            ],
            second_factor=messages.of_second_factor(await users.second_factors.get(user_id)),
            links=[messages.of_link(link) for link in await users.providers.links(user_id)],
            vendor_applications=[messages.of_application(one) for one in await users.vendors.of_user(user_id)],
        )

    async def EraseMe(self, request: erasure_pb2.EraseMeRequest, _: Any) -> erasure_pb2.EraseMeResponse:
        await self._accounts.erase(identity.caller().user_id, request.current_password)
        return erasure_pb2.EraseMeResponse()

    async def GetSecondFactor(
        self, _request: second_factor_pb2.GetSecondFactorRequest, _: Any
    ) -> second_factor_pb2.SecondFactor:
        return messages.of_second_factor(await self._users.second_factors.get(identity.caller().user_id))

    async def BeginSecondFactor(
        self, request: second_factor_pb2.BeginSecondFactorRequest, _: Any
    ) -> second_factor_pb2.BeginSecondFactorResponse:
        begun = await self._users.second_factors.begin(_owner(password=request.current_password))
        return second_factor_pb2.BeginSecondFactorResponse(secret=begun.secret, otpauth_uri=begun.uri)

    async def ConfirmSecondFactor(
        self, request: second_factor_pb2.ConfirmSecondFactorRequest, _: Any
    ) -> second_factor_pb2.RecoveryCodes:
        codes = await self._users.second_factors.confirm(_owner(code=request.code))
        return second_factor_pb2.RecoveryCodes(recovery_codes=codes)

    async def DisableSecondFactor(
        self, request: second_factor_pb2.DisableSecondFactorRequest, _: Any
    ) -> second_factor_pb2.DisableSecondFactorResponse:
        await self._users.second_factors.disable(_owner(password=request.current_password, code=request.code))
        return second_factor_pb2.DisableSecondFactorResponse()

    async def RenewRecoveryCodes(
        self, request: second_factor_pb2.RenewRecoveryCodesRequest, _: Any
    ) -> second_factor_pb2.RecoveryCodes:
        owner = _owner(password=request.current_password, code=request.code)
        return second_factor_pb2.RecoveryCodes(recovery_codes=await self._users.second_factors.renew_codes(owner))

    async def ListAddresses(
        self, _request: address_book_pb2.ListAddressesRequest, _: Any
    ) -> address_book_pb2.ListAddressesResponse:
        kept = await self._users.addresses.list(identity.caller().user_id)
        return address_book_pb2.ListAddressesResponse(addresses=[messages.of_address(saved) for saved in kept])

    async def CreateAddress(
        self, request: address_book_pb2.CreateAddressRequest, _: Any
    ) -> address_book_pb2.SavedAddress:
        address = messages.address(request.address)
        saved = await self._users.addresses.add(_wanted(request), request.label, address, is_default=request.is_default)
        return messages.of_address(saved)

    async def UpdateAddress(
        self, request: address_book_pb2.UpdateAddressRequest, _: Any
    ) -> address_book_pb2.SavedAddress:
        change = usecases.belongings.Change(
            request.id.lower(), request.label, messages.address(request.address), request.is_default
        )
        return messages.of_address(await self._users.addresses.change(identity.caller().user_id, change))

    async def DeleteAddress(
        self, request: address_book_pb2.DeleteAddressRequest, _: Any
    ) -> address_book_pb2.DeleteAddressResponse:
        await self._users.addresses.remove(identity.caller().user_id, request.id.lower())
        return address_book_pb2.DeleteAddressResponse()

    async def ListPaymentMethods(
        self, _request: payment_methods_pb2.ListPaymentMethodsRequest, _: Any
    ) -> payment_methods_pb2.ListPaymentMethodsResponse:
        kept = await self._users.wallet.list(identity.caller().user_id)
        shown = [messages.of_method(method) for method in kept]
        return payment_methods_pb2.ListPaymentMethodsResponse(payment_methods=shown)

    async def AddPaymentMethod(
        self, request: payment_methods_pb2.AddPaymentMethodRequest, _: Any
    ) -> payment_methods_pb2.SavedPaymentMethod:
        draft = payment_methods.Draft(request.provider_token, request.label, request.last_digits, request.is_default)
        return messages.of_method(await self._users.wallet.add(_wanted(request), draft))

    async def SetDefaultPaymentMethod(
        self, request: payment_methods_pb2.SetDefaultPaymentMethodRequest, _: Any
    ) -> payment_methods_pb2.SavedPaymentMethod:
        method = await self._users.wallet.make_default(identity.caller().user_id, request.id.lower())
        return messages.of_method(method)

    async def DeletePaymentMethod(
        self, request: payment_methods_pb2.DeletePaymentMethodRequest, _: Any
    ) -> payment_methods_pb2.DeletePaymentMethodResponse:
        await self._users.wallet.remove(identity.caller().user_id, request.id.lower())
        return payment_methods_pb2.DeletePaymentMethodResponse()

    async def ResolvePaymentMethod(
        self, request: payment_methods_pb2.ResolvePaymentMethodRequest, _: Any
    ) -> payment_methods_pb2.ResolvePaymentMethodResponse:
        token = await self._users.wallet.resolve(request.user_id.lower(), request.id.lower())
        return payment_methods_pb2.ResolvePaymentMethodResponse(provider_token=token)

    async def GetUserPreferences(
        self, _request: preferences_pb2.GetUserPreferencesRequest, _: Any
    ) -> preferences_pb2.Preferences:
        return messages.of_preferences(await self._users.preferences.get(identity.caller().user_id))

    async def UpdateUserPreferences(
        self, request: preferences_pb2.UpdateUserPreferencesRequest, _: Any
    ) -> preferences_pb2.Preferences:
        change = messages.preferences_change(request)
        return messages.of_preferences(await self._users.preferences.change(identity.caller().user_id, change))

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


def _wanted(
    request: address_book_pb2.CreateAddressRequest | payment_methods_pb2.AddPaymentMethodRequest,
) -> usecases.belongings.Wanted:
    """Who asks for something new, and how the request is told from others."""
    fingerprint = idempotency.fingerprint(request) if request.request_id else b""
    return usecases.belongings.Wanted(identity.caller().user_id, request.request_id, fingerprint)


def _owner(*, password: str = "", code: str = "") -> usecases.second_factors.Owner:
    """Who asks for a change of their second factor, and how they prove it."""
    caller = identity.caller()
    return usecases.second_factors.Owner(caller.user_id, caller.sign_in, password, code)


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


def servicer(users: usecases.Users, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = user_service_pb2_grpc.add_UserServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, UserServicer(users, tokens))
