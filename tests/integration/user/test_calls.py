"""The user service as it is composed, over its real gRPC server."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services import registry, signing_keys
from services.chassis import assembly, clock, database, errors
from services.chassis.rpc import client, identity
from services.user import main, usecases
from souk.user.v1 import user_events_pb2, user_pb2, user_service_pb2, user_service_pb2_grpc
from tests.support import calls

if TYPE_CHECKING:  # a name of the type stubs alone
    from souk.user.v1.user_service_pb2_grpc import UserServiceAsyncStub as Stub

PASSWORD = "correct horse battery"


def write_key(folder: Path) -> Path:
    folder.mkdir()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "test.pem").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return folder


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a user service; nothing listens where its brokers should be."""
    return {
        "USER_LISTEN": f"unix:{tmp_path}/user.sock",
        "USER_DATABASE_URL": database_url,
        "USER_SIGNING_KEY_DIR": str(write_key(tmp_path / "of_the_service")),
        "USER_TOKEN_LIFETIME_S": "60",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "NOTIFICATION_ADDR": "127.0.0.1:1",
        "MESH_KEY": calls.MESH_KEY,
    }


@pytest_asyncio.fixture
async def address(environ: dict[str, str]) -> AsyncIterator[str]:
    """Where a user service answers."""
    parts = main.build(assembly.Host(environ, assembly.SERVE, "test", clock.utc_now, registry.load().services))
    for part in parts:
        await part.start()
    yield environ["USER_LISTEN"]
    for part in reversed(parts):
        await part.stop()


@pytest_asyncio.fixture
async def user(address: str) -> AsyncIterator["Stub"]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield user_service_pb2_grpc.UserServiceStub(channel)


def registration(**changes: str) -> user_service_pb2.RegisterRequest:
    fields: dict[str, Any] = {
        "email": f"ann.{uuid.uuid4().hex}@example.com",
        "password": PASSWORD,
        "display_name": "Ann",
    }
    return user_service_pb2.RegisterRequest(**fields | changes)


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_somebody_registers_logs_in_and_sees_who_they_are(user: "Stub") -> None:
    wanted = registration()
    registered = await user.Register(wanted)
    session = await user.Login(user_service_pb2.LoginRequest(email=wanted.email.upper(), password=PASSWORD))
    assert session.token_type == "Bearer"
    assert session.user == registered.user
    assert list(session.user.roles) == [user_pb2.User.CUSTOMER]
    for token in (registered.access_token, session.access_token):
        assert await user.GetMe(user_service_pb2.GetMeRequest(), metadata=_bearer(token)) == session.user


async def test_a_session_ends_when_its_token_says(user: "Stub") -> None:
    session = await user.Register(registration())
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    assert session.expire_time.seconds == claims["exp"] == claims["iat"] + 60


async def test_other_services_let_people_in_by_the_keys_they_ask_for(address: str, user: "Stub") -> None:
    session = await user.Register(registration())
    peer = client.Peer(address, signing_keys.DESCRIPTOR, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
    issuer = identity.Issuer("https://souk.local", "souk")
    caller = await identity.Tokens(issuer, signing_keys.fetched_from(peer).keys).verify(session.access_token)
    await peer.stop()
    assert caller == identity.Caller(user_id=session.user.id, roles=frozenset(["CUSTOMER"]))


async def test_the_published_keys_are_what_rfc_7517_says(user: "Stub") -> None:
    [key] = (await user.GetJwks(user_service_pb2.GetJwksRequest())).keys
    assert (key.kty, key.crv, key.kid, key.alg, key.use) == ("EC", "P-256", "test", "ES256", "sig")
    assert all(len(jwt.utils.base64url_decode(coordinate)) == 32 for coordinate in (key.x, key.y))


async def test_a_taken_address_is_refused_with_its_reason(user: "Stub") -> None:
    wanted = registration()
    await user.Register(wanted)
    refused = await calls.refused(user.Register(wanted))
    assert (refused.code, refused.reason, refused.domain) == (errors.Code.ALREADY_EXISTS, "EMAIL_TAKEN", "user")


async def test_wrong_credentials_are_refused_without_a_hint(user: "Stub") -> None:
    wanted = registration()
    await user.Register(wanted)
    wrong = [(wanted.email, "not the password"), ("nobody@example.com", PASSWORD)]
    requests = [user_service_pb2.LoginRequest(email=email, password=password) for email, password in wrong]
    refused = [await calls.refused(user.Login(request)) for request in requests]
    assert {error.code for error in refused} == {errors.Code.UNAUTHENTICATED}
    assert {error.reason for error in refused} == {"CREDENTIALS_WRONG"}
    assert len({(error.message, str(error.metadata)) for error in refused}) == 1


async def test_all_wrong_fields_are_named_at_once(user: "Stub") -> None:
    refused = await calls.refused(user.Register(registration(email="ann", password="short", display_name="")))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "REQUEST_INVALID")
    assert {violation.field for violation in refused.violations} == {"email", "password", "display_name"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"password": "x" * 129}, "password"),
        ({"display_name": "x" * 121}, "display_name"),
        ({"display_name": "Ann\0"}, "display_name"),
    ],
)
async def test_a_field_out_of_its_bounds_is_refused(user: "Stub", changes: dict[str, str], field: str) -> None:
    refused = await calls.refused(user.Register(registration(**changes)))
    assert (refused.reason, {violation.field for violation in refused.violations}) == ("REQUEST_INVALID", {field})


async def test_a_password_at_the_bounds_and_in_any_script_is_fine(user: "Stub") -> None:
    for password in ("x" * 12, "é" * 128, "пароль длинный"):
        wanted = registration(password=password)
        await user.Register(wanted)
        await user.Login(user_service_pb2.LoginRequest(email=wanted.email, password=password))


async def test_who_one_is_is_asked_with_a_token_only(user: "Stub") -> None:
    request = user_service_pb2.GetMeRequest()
    forged = jwt.encode({"sub": "x", "roles": ["ADMIN"]}, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")
    refused = [
        await calls.refused(user.GetMe(request, metadata=said)) for said in ((), _bearer("nonsense"), _bearer(forged))
    ]
    assert [error.reason for error in refused] == ["TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_INVALID"]
    assert {error.code for error in refused} == {errors.Code.UNAUTHENTICATED}


async def test_an_account_that_is_gone_is_not_found(user: "Stub", db: database.Database) -> None:
    session = await user.Register(registration())
    await db.read(database.Statement("DELETE FROM users WHERE id = %(id)s"), {"id": session.user.id})
    refused = await calls.refused(user.GetMe(user_service_pb2.GetMeRequest(), metadata=_bearer(session.access_token)))
    assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "USER_NOT_FOUND")


async def test_a_session_is_exchanged_for_the_next_until_its_owner_logs_out(user: "Stub") -> None:
    first = await user.Register(registration())
    second = await user.Refresh(user_service_pb2.RefreshRequest(refresh_token=first.refresh_token))
    assert second.user == first.user
    assert second.refresh_expire_time.seconds >= first.refresh_expire_time.seconds > first.expire_time.seconds
    assert await user.GetMe(user_service_pb2.GetMeRequest(), metadata=_bearer(second.access_token)) == first.user
    for token in (second.refresh_token, second.refresh_token, "nobody gave this out"):
        await user.Logout(user_service_pb2.LogoutRequest(refresh_token=token))
    refused = await calls.refused(user.Refresh(user_service_pb2.RefreshRequest(refresh_token=second.refresh_token)))
    assert (refused.code, refused.reason) == (errors.Code.UNAUTHENTICATED, "REFRESH_TOKEN_INVALID")
    for call in (user.Refresh(user_service_pb2.RefreshRequest()), user.Logout(user_service_pb2.LogoutRequest())):
        assert (await calls.refused(call)).reason == "REQUEST_INVALID"


async def test_people_change_their_own_account(user: "Stub") -> None:
    wanted = registration()
    session = await user.Register(wanted)
    me = _bearer(session.access_token)
    named = await user.UpdateMe(user_service_pb2.UpdateMeRequest(display_name="Anna"), metadata=me)
    assert (named.id, named.display_name) == (session.user.id, "Anna")
    change = user_service_pb2.UpdateMeRequest(current_password=PASSWORD, new_password="another password")
    assert (await user.UpdateMe(change, metadata=me)).display_name == "Anna"
    again = await user.Login(user_service_pb2.LoginRequest(email=wanted.email, password="another password"))
    # The token of before is revoked by the new password.
    me = _bearer(again.access_token)
    wrong = [
        (change, "PASSWORD_WRONG", {"current_password"}),
        (user_service_pb2.UpdateMeRequest(display_name="", new_password="short"), "REQUEST_INVALID", None),
    ]
    for request, reason, fields in wrong:
        refused = await calls.refused(user.UpdateMe(request, metadata=me))
        assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, reason)
        assert {violation.field for violation in refused.violations} == (fields or {"display_name", "new_password"})
    assert (await calls.refused(user.UpdateMe(change))).reason == "TOKEN_MISSING"
    nothing = await calls.refused(user.UpdateMe(user_service_pb2.UpdateMeRequest(), metadata=me))
    assert (nothing.reason, [item.reason for item in nothing.violations]) == (
        "REQUEST_INVALID",
        ["update_me.something"],
    )


async def test_an_administrator_says_what_people_may_do_and_nobody_else_does(
    user: "Stub", accounts: usecases.Accounts
) -> None:
    email = f"admin.{uuid.uuid4().hex}@example.com"
    await accounts.ensure_admin(email, PASSWORD)
    admin = await user.Login(user_service_pb2.LoginRequest(email=email, password=PASSWORD))
    ann = await user.Register(registration())
    request = user_service_pb2.SetUserRolesRequest(id=ann.user.id.upper(), roles=[user_pb2.User.VENDOR])
    refused = await calls.refused(user.SetUserRoles(request, metadata=_bearer(ann.access_token)))
    assert (refused.code, refused.reason) == (errors.Code.PERMISSION_DENIED, "ACCESS_DENIED")
    changed = await user.SetUserRoles(request, metadata=_bearer(admin.access_token))
    assert list(changed.roles) == [user_pb2.User.VENDOR]
    following = await user.Refresh(user_service_pb2.RefreshRequest(refresh_token=ann.refresh_token))
    claims = jwt.decode(following.access_token, options={"verify_signature": False})
    assert claims["roles"] == ["VENDOR"]
    own = user_service_pb2.SetUserRolesRequest(id=admin.user.id, roles=[user_pb2.User.CUSTOMER])
    refused = await calls.refused(user.SetUserRoles(own, metadata=_bearer(admin.access_token)))
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "OWN_ADMIN_ROLE")


@pytest.mark.parametrize("roles", [[], [0], [9], [1, 1]])
async def test_roles_that_are_none_are_refused(user: "Stub", accounts: usecases.Accounts, roles: list[int]) -> None:
    email = f"admin.{uuid.uuid4().hex}@example.com"
    await accounts.ensure_admin(email, PASSWORD)
    admin = await user.Login(user_service_pb2.LoginRequest(email=email, password=PASSWORD))
    request = user_service_pb2.SetUserRolesRequest(id=admin.user.id, roles=roles)  # type: ignore[arg-type]  # numbers
    refused = await calls.refused(user.SetUserRoles(request, metadata=_bearer(admin.access_token)))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "REQUEST_INVALID")


async def test_an_internationalised_domain_is_one_address_in_both_spellings(
    user: "Stub", db: database.Database
) -> None:
    local = f"Ann.{uuid.uuid4().hex}"
    registered = await user.Register(registration(email=f"{local}@MÜNCHEN.de"))
    assert registered.user.email == f"{local.lower()}@münchen.de"
    for domain_name in ("münchen.de", "mu\u0308nchen.de", "xn--mnchen-3ya.de"):
        wanted = user_service_pb2.LoginRequest(email=f"{local}@{domain_name}", password=PASSWORD)
        assert (await user.Login(wanted)).user == registered.user
        refused = await calls.refused(user.Register(registration(email=wanted.email)))
        assert refused.reason == "EMAIL_TAKEN"
    [payload] = [row[0] for row in await db.read(database.Statement("SELECT payload FROM outbox"))]
    told = user_events_pb2.UserRegistered.FromString(payload)
    assert told.email == f"{local.lower()}@xn--mnchen-3ya.de"


async def test_a_domain_to_which_no_mail_can_go_is_refused_with_its_reason(user: "Stub") -> None:
    for email in ("ann@xn--99999999.de", "ann@\u0301a.de"):
        refused = await calls.refused(user.Register(registration(email=email)))
        assert (refused.reason, [violation.field for violation in refused.violations]) == ("EMAIL_INVALID", ["email"])
        request = user_service_pb2.LoginRequest(email=email, password=PASSWORD)
        assert (await calls.refused(user.Login(request))).reason == "CREDENTIALS_WRONG"
