"""Keys that are renewed before they are given up, tokens that end, and the list of those that were revoked."""

import asyncio
import contextvars
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis import errors
from services.chassis.rpc import identity, keys, policy, revocations

MESH_KEY = "mesh-key-of-the-tests-32-bytes-long"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = jwt.PyJWK(jwt.algorithms.ECAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True) | {"kid": "k1"}, "ES256")
ISSUER = identity.Issuer("https://souk.test", "souk")
WHOSE: contextvars.ContextVar[str] = contextvars.ContextVar("whose", default="nobody's")


class UserService:
    """Publishes keys when it is there, as quickly as a test lets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.published: Mapping[str, jwt.PyJWK] = {"k1": PUBLIC}
        self.answers = asyncio.Event()
        self.answers.set()
        self.contexts: set[str] = set()
        self.now = 0.0

    async def keys(self) -> Mapping[str, jwt.PyJWK]:
        self.asked += 1
        self.contexts.add(WHOSE.get())
        await self.answers.wait()
        if self.away:
            raise errors.TransientError("away")
        return self.published


@pytest.fixture
def user() -> UserService:
    return UserService()


@pytest.fixture
def kept(user: UserService) -> keys.Keys:
    return keys.Keys(user.keys, lambda: user.now)


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_callers_ask_once_and_in_the_context_of_none(user: UserService, kept: keys.Keys) -> None:
    user.answers.clear()
    WHOSE.set("the first caller's")
    waiting = [asyncio.ensure_future(kept.get("k1")) for _ in range(50)]
    await _settled()
    waiting[0].cancel()
    user.answers.set()
    assert set(await asyncio.gather(*waiting[1:])) == {PUBLIC}
    assert (user.asked, user.contexts) == (1, {"nobody's"})


async def test_a_key_is_renewed_in_the_background_and_nobody_waits_for_it(user: UserService, kept: keys.Keys) -> None:
    await kept.get("k1")
    user.now = keys.FRESH_S + 1
    user.answers.clear()
    assert [await kept.get("k1") for _ in range(10)] == [PUBLIC] * 10
    await _settled()
    assert user.asked == 2
    user.published = {}
    user.answers.set()
    await _settled()
    assert await kept.get("k1") is None


async def test_keys_count_on_while_the_user_service_is_away_and_it_is_asked_now_and_then(
    user: UserService, kept: keys.Keys
) -> None:
    await kept.get("k1")
    user.away = True
    for user.now in range(61, 3600, 10):
        assert await kept.get("k1") == PUBLIC
        assert await kept.get("k1") == PUBLIC
        await _settled()
    assert user.asked < 400
    user.now = keys.KEPT_S + 1
    with pytest.raises(errors.TransientError):
        await kept.get("k1")
    user.away, user.now = False, user.now + keys.RETRY_S
    assert await kept.get("k1") == PUBLIC


async def test_unknown_keys_do_not_make_us_ask_each_time(user: UserService, kept: keys.Keys) -> None:
    assert {await kept.get(f"guess-{number}") for number in range(100)} == {None}
    assert user.asked == 1
    user.now, user.away = keys.REFETCH_S, True
    for number in range(100):
        with pytest.raises(errors.TransientError):
            await kept.get(f"guess-{number}")
    assert user.asked == 2
    assert await kept.get("k1") == PUBLIC


def _mesh_token(**changes: Any) -> str:
    now = int(time.time())
    claims = {"sub": "order", "aud": identity.MESH_AUDIENCE, "iat": now, "exp": now + 60} | changes
    said = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(said, MESH_KEY, algorithm=identity.MESH_ALGORITHM)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"exp": int(time.time()) + 10**9},
        {"exp": int(time.time()) - 1},
        {"aud": "another"},
    ],
)
def test_a_mesh_token_that_no_service_makes_is_refused(changes: dict[str, Any]) -> None:
    mesh = identity.Mesh(MESH_KEY, "catalog")
    assert mesh.verify(_mesh_token()) == "order"
    with pytest.raises(errors.DomainError, match="SERVICE_UNKNOWN"):
        mesh.verify(_mesh_token(**changes))


def test_a_mesh_token_that_was_seen_before_expires_all_the_same() -> None:
    mesh, ends = identity.Mesh(MESH_KEY, "catalog"), int(time.time()) + 2
    token = _mesh_token(exp=ends)
    with pytest.raises(errors.DomainError, match="SERVICE_UNKNOWN"):
        # Remembered for a minute, if nobody looks at its end.
        while time.time() < ends + 10:
            assert mesh.verify(token) == "order"
            time.sleep(0.05)
    assert time.time() >= ends


class Register:
    """What a user service says was revoked."""

    def __init__(self) -> None:
        self.away: Exception | None = None
        self.found: list[revocations.Revocation] = []

    async def revoked(self, since: datetime | None) -> revocations.News:
        if self.away:
            raise self.away
        return revocations.News(self.found, since or datetime.now(UTC))


def _access_token(**changes: Any) -> str:
    now = int(time.time())
    claims = {"sub": "ann", "roles": ["ADMIN"], "iat": now, "exp": now + 60, "sid": "s1", "ver": 3} | changes
    claims |= {"iss": ISSUER.issuer, "aud": ISSUER.audience}
    return jwt.encode(claims, PRIVATE, algorithm=identity.ALGORITHM, headers={"kid": "k1"})


async def _let_in(tokens: identity.Tokens, token: str) -> str:
    try:
        return (await tokens.verify(token)).user_id
    except errors.DomainError as error:
        return error.reason


async def test_a_token_is_refused_from_the_moment_its_revocation_is_known(user: UserService) -> None:
    register = Register()
    revoked = revocations.Revocations("test", register.revoked)
    tokens = identity.Tokens(ISSUER, user.keys, revoked)
    await revoked.follow()
    old, new, before = _access_token(), _access_token(sid="s2", ver=4), _access_token(sid="", ver=0)
    assert {await _let_in(tokens, token) for token in (old, new, before)} == {"ann"}
    later = time.time() + 60
    register.found = [revocations.Revocation("s1", 0, later)]
    await revoked.follow()
    assert [await _let_in(tokens, token) for token in (old, new, before)] == ["TOKEN_REVOKED", "ann", "ann"]
    register.found = [revocations.Revocation("ann", 4, later)]
    await revoked.follow()
    assert [await _let_in(tokens, token) for token in (old, new, before)] == ["TOKEN_REVOKED", "ann", "TOKEN_REVOKED"]


@pytest.mark.parametrize("away", [errors.TransientError("away"), errors.invalid("CALL_FAILED", "UNIMPLEMENTED")])
async def test_while_nobody_says_what_is_revoked_good_tokens_count_and_what_is_known_does(
    user: UserService, away: Exception
) -> None:
    register = Register()
    revoked = revocations.Revocations("test", register.revoked)
    tokens = identity.Tokens(ISSUER, user.keys, revoked)
    register.found = [revocations.Revocation("s1", 0, time.time() + 60)]
    await revoked.follow()
    register.away = away
    with pytest.raises(errors.TransientError):
        await revoked.follow()
    assert await _let_in(tokens, _access_token()) == "TOKEN_REVOKED"
    assert await _let_in(tokens, _access_token(sid="s2")) == "ann"


async def test_the_list_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "MOST", 3)
    register = Register()
    revoked = revocations.Revocations("test", register.revoked)
    now = time.time()
    register.found = [revocations.Revocation("past", 0, now - 1)]
    register.found += [revocations.Revocation(f"s{number}", 0, now + 60) for number in range(5)]
    await revoked.follow()
    known = [name for name in ("past", "s0", "s1", "s2", "s3", "s4") if revoked.refuse(name, "", 0)]
    assert known == ["s2", "s3", "s4"]


async def test_nobody_is_let_in_before_the_list_was_asked_for(user: UserService) -> None:
    register = Register()
    revoked = revocations.Revocations("test", register.revoked)
    tokens = identity.Tokens(ISSUER, user.keys, revoked)
    asking = asyncio.ensure_future(tokens.verify(_access_token()))
    await _settled()
    assert not asking.done()
    register.found = [revocations.Revocation("s1", 0, time.time() + 60)]
    await revoked.follow()
    with pytest.raises(errors.DomainError, match="TOKEN_REVOKED"):
        await asking


WATCHED = policy.Method(
    path="/souk.order.v1.OrderService/WatchOrder",
    public=False,
    roles=frozenset({"ADMIN"}),
    services=frozenset({"storefront"}),
    any_service=False,
    timeout_s=0,
    retriable=True,
    most_bytes=100,
)


async def test_a_person_goes_on_as_long_as_their_token_counts_and_a_service_as_long_as_it_likes(
    user: UserService,
) -> None:
    register = Register()
    revoked = revocations.Revocations("test", register.revoked)
    await revoked.follow()
    gate = identity.Gate(identity.Tokens(ISSUER, user.keys, revoked), identity.Mesh(MESH_KEY, "order"))
    shown = {"authorization": f"Bearer {_access_token()}"}
    ann = await gate.admit(WATCHED, shown, dict)
    await gate.readmit(ann, WATCHED, shown, dict)
    register.found = [revocations.Revocation("s1", 0, time.time() + 60)]
    await revoked.follow()
    with pytest.raises(errors.DomainError, match="TOKEN_REVOKED"):
        await gate.readmit(ann, WATCHED, shown, dict)
    expired = {identity.MESH_HEADER: _mesh_token(sub="storefront", exp=int(time.time()) - 1)}
    await gate.readmit(identity.Caller(service="storefront"), WATCHED, expired, dict)
