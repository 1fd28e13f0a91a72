"""Sign-in with a real OpenID provider: whose account it opens, and that an answer counts once, for who began."""

import asyncio
import dataclasses
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import timedelta

import pyotp
import pytest
import pytest_asyncio

from services.chassis import database, errors
from services.user import domain, passwords, usecases
from services.user.clients import openid
from services.user.domain import providers as rules
from services.user.usecases import providers
from services.user.usecases.second_factors import Owner
from souk.user.v1 import user_events_pb2
from tests.integration.user.conftest import Hands
from tests.support import oidc

PASSWORD = "correct horse battery"
HOME = domain.Origin("192.0.2.7", "a browser")
VERIFY = database.Statement("UPDATE users SET email_verified = true, roles = %(roles)s WHERE id = %(user_id)s")
LEFT = database.Statement("SELECT count(*) FROM sign_in_attempts WHERE email = %(email)s")
TOLD = database.Statement("SELECT payload FROM outbox WHERE type = 'souk.user.v1.SecurityChanged' ORDER BY id")
OUTBOX = database.Statement("SELECT type FROM outbox ORDER BY id")


@pytest.fixture(scope="module")
def acme() -> Iterator[oidc.OpenIdProvider]:
    with oidc.running() as provider:
        yield provider


class Shop:
    """The use cases, with providers that people sign in with."""

    def __init__(self, users: usecases.Users, asked: openid.Providers, acme: oidc.OpenIdProvider) -> None:
        self.users = users
        self.asked = asked
        self.acme = acme

    async def went(self, login: str, user_id: str = "") -> rules.Answer:
        """Somebody began, was at the provider, and came back: what their page knows then."""
        use = self.users.providers
        started = await (use.begin_link(user_id, "acme", PASSWORD) if user_id else use.begin("acme"))
        return await came_back(self.acme, started, login)

    async def signed_in(self, login: str) -> domain.Session:
        return await self.users.providers.complete(await self.went(login), HOME)

    async def registered(self, email: str, *roles: str) -> domain.User:
        """An account with a password; its address is verified if it has roles."""
        user = (await self.users.accounts.register(domain.Registration(email, PASSWORD, "Ann"))).user
        if roles:
            await self.users.accounts._db.read(VERIFY, {"user_id": user.id, "roles": list(roles)})
        return user


async def came_back(acme: oidc.OpenIdProvider, started: providers.Started, login: str) -> rules.Answer:
    back = await asyncio.to_thread(acme.visited, started.address, login)
    return rules.Answer(acme.name, back.state, back.code, started.binding, back.iss)


async def reason(call: Awaitable[object]) -> str:
    with pytest.raises(errors.DomainError) as caught:
        await call
    return caught.value.reason


@pytest_asyncio.fixture
async def shop(
    db: database.Database,
    accounts: usecases.Accounts,
    sessions: usecases.Sessions,
    *,
    hashing: passwords.Passwords,
    hands: Hands,
    acme: oidc.OpenIdProvider,
) -> AsyncIterator[Shop]:
    asked = openid.Providers([acme.settings], timeout_s=1.0)
    await asked.start()
    users = usecases.users(db, accounts, sessions, hashing, now=hands)
    users.providers.openid = asked
    yield Shop(users, asked, acme)
    await asked.stop()


@pytest.fixture
def email() -> str:
    return f"ann.{uuid.uuid4().hex}@example.com"


@pytest.fixture
def ann(acme: oidc.OpenIdProvider, email: str) -> str:
    return acme.knows(f"ann-{uuid.uuid4().hex}", email=email, email_verified=True, name="Ann\u2028 of  Acme")


async def test_who_is_new_gets_an_account_that_only_the_providers_account_opens_again(
    db: database.Database, shop: Shop, ann: str, email: str
) -> None:
    first = await shop.signed_in(ann)
    assert (first.user.email, first.user.email_verified, first.user.display_name) == (email, True, "Ann of Acme")
    assert [row[0] for row in await db.read(OUTBOX)] == ["souk.user.v1.UserRegistered"]
    [link] = await shop.users.providers.links(first.user.id)
    assert (link.provider, link.subject, link.email) == ("acme", ann, email)
    # The provider's address may change, and even be another account's: the subject is who it is.
    other = await shop.registered(f"new.{email}", "CUSTOMER")
    shop.acme.knows(ann, email=other.email, email_verified=True)
    again = await shop.signed_in(ann)
    assert again.user == first.user
    assert (await shop.users.sessions.refresh(again.refresh.text)).user == first.user
    assert await reason(shop.users.accounts.login(email, PASSWORD)) == "CREDENTIALS_WRONG"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_provider_that_says_addresses_when_it_is_asked_is_asked(shop: Shop, email: str, method: str) -> None:
    with oidc.running(name="strict", claims_in_id_token=False, auth_method=method) as strict:
        asked = openid.Providers([strict.settings])
        await asked.start()
        shop.users.providers.openid = asked
        login = strict.knows(f"ann-{method}", email=email, email_verified=True)
        answer = await came_back(strict, await shop.users.providers.begin("strict"), login)
        session = await shop.users.providers.complete(answer, HOME)
        await asked.stop()
    assert (session.user.email, session.user.display_name) == (email, email.partition("@")[0])


async def test_an_account_is_found_by_its_address_only_if_both_sides_verified_it_and_it_runs_no_shop(
    db: database.Database, shop: Shop, acme: oidc.OpenIdProvider, ann: str, email: str
) -> None:
    user = await shop.registered(email)
    assert await reason(shop.signed_in(ann)) == "LINK_NEEDS_SIGN_IN"
    await db.read(VERIFY, {"user_id": user.id, "roles": ["ADMIN"]})
    assert await reason(shop.signed_in(ann)) == "LINK_NEEDS_SIGN_IN"
    await db.read(VERIFY, {"user_id": user.id, "roles": ["CUSTOMER"]})
    for unverified in ({"email": email}, {"email": email, "email_verified": "true"}, {"name": "Ann"}):
        acme.knows(ann, **unverified)
        assert await reason(shop.signed_in(ann)) == "SIGN_IN_EMAIL_UNVERIFIED"
    assert await shop.users.providers.links(user.id) == []
    acme.knows(ann, email=email.upper(), email_verified=True)
    assert (await shop.signed_in(ann)).user.id == user.id
    # The provider gives the address to somebody else one day: that is not who was here before.
    heir = acme.knows(f"heir-{ann}", email=email, email_verified=True)
    assert await reason(shop.signed_in(heir)) == "LINK_NEEDS_SIGN_IN"


async def test_a_second_factor_is_asked_for_and_the_provider_is_not_asked_again(
    shop: Shop, hands: Hands, ann: str, email: str
) -> None:
    user = await shop.registered(email, "CUSTOMER")
    factors = shop.users.second_factors
    secret = (await factors.begin(Owner(user.id, password=PASSWORD))).secret
    [recovery, *_] = await factors.confirm(Owner(user.id, code=pyotp.TOTP(secret).at(hands())))
    answer = await shop.went(ann)
    complete = shop.users.providers.complete
    assert await reason(complete(answer, HOME)) == "SECOND_FACTOR_REQUIRED"
    assert await shop.users.providers.links(user.id) == []
    wrong = dataclasses.replace(answer, second_factor_code="000000x")
    assert await reason(complete(wrong, HOME)) == "SECOND_FACTOR_WRONG"
    right = dataclasses.replace(answer, second_factor_code=recovery)
    assert (await complete(right, HOME)).user.id == user.id
    assert await reason(complete(right, HOME)) == "SIGN_IN_NOT_VALID"


async def test_an_answer_counts_once_also_when_it_is_sent_many_times_at_once(shop: Shop, ann: str) -> None:
    answer = await shop.went(ann)
    calls = [shop.users.providers.complete(answer, HOME) for _ in range(8)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    [_] = [session for session in answers if isinstance(session, domain.Session)]
    refusals = [error.reason for error in answers if isinstance(error, errors.DomainError)]
    assert refusals == ["SIGN_IN_NOT_VALID"] * 7


async def test_an_answer_counts_only_for_who_began_and_until_it_expires(shop: Shop, hands: Hands, ann: str) -> None:
    answer, other = await shop.went(ann), await shop.went(ann)
    complete = shop.users.providers.complete
    strangers = [
        dataclasses.replace(answer, binding=other.binding),
        dataclasses.replace(answer, binding="another's"),
        dataclasses.replace(answer, state="another"),
        dataclasses.replace(answer, provider="other"),
    ]
    for strange in strangers:
        assert await reason(complete(strange, HOME)) == "SIGN_IN_NOT_VALID"
    # A code of another attempt was made for another challenge.
    assert await reason(complete(dataclasses.replace(other, code=answer.code), HOME)) == "SIGN_IN_REFUSED"
    hands.ahead = rules.LIFETIME + timedelta(seconds=1)
    assert await reason(complete(answer, HOME)) == "SIGN_IN_NOT_VALID"
    assert await shop.users.sessions.purge() >= 2


@pytest.mark.parametrize("iss", ["https://evil.example.com", ""])
async def test_an_answer_of_another_provider_is_refused_before_its_code_goes_anywhere(
    shop: Shop, ann: str, iss: str
) -> None:
    answer = await shop.went(ann)
    mixed_up = dataclasses.replace(answer, iss=iss)
    assert await reason(shop.users.providers.complete(mixed_up, HOME)) == "SIGN_IN_REFUSED"


async def test_while_a_provider_is_away_nothing_changes_and_the_call_may_be_repeated(shop: Shop, ann: str) -> None:
    answer = await shop.went(ann)
    # A process that has not asked it yet: its first question goes unheard, and the code stays good.
    asked = openid.Providers([shop.acme.settings], timeout_s=0.5)
    await asked.start()
    shop.users.providers.openid = asked
    assert shop.acme.process is not None
    shop.acme.process.send_signal(signal.SIGSTOP)
    try:
        assert await reason(shop.users.providers.complete(answer, HOME)) == "SIGN_IN_PROVIDER_UNAVAILABLE"
    finally:
        shop.acme.process.send_signal(signal.SIGCONT)
    assert (await shop.users.providers.complete(answer, HOME)).user.email_verified
    await asked.stop()


async def test_a_provider_that_never_answered_is_unavailable_and_one_that_changed_its_keys_is_asked_for_them(
    shop: Shop, email: str
) -> None:
    ticks = [0.0]
    moved = oidc.OpenIdProvider(name="moved")
    asked = openid.Providers([moved.settings], ticks=lambda: ticks[0])
    await asked.start()
    shop.users.providers.openid = asked
    assert await reason(shop.users.providers.begin("moved")) == "SIGN_IN_PROVIDER_UNAVAILABLE"
    try:
        for _ in range(2):
            moved.start()
            moved.knows("ann", email=email, email_verified=True)
            answer = await came_back(moved, await shop.users.providers.begin("moved"), "ann")
            assert (await shop.users.providers.complete(answer, HOME)).user.email == email
            moved.stop()
            ticks[0] += openid.LOOK_EVERY_S
        # What it said of itself is known, and old by now: browsers are still sent there.
        ticks[0] += openid.FRESH_S
        assert moved.issuer in (await shop.users.providers.begin("moved")).address
    finally:
        moved.stop()
        await asked.stop()


async def test_somebody_links_a_providers_account_of_another_address_with_the_password(
    db: database.Database, shop: Shop, ann: str, email: str
) -> None:
    user, other = await shop.registered(f"ann.{email}"), await shop.registered(f"bob.{email}")
    use = shop.users.providers
    assert await reason(use.begin_link(user.id, "acme", "a wrong password")) == "PASSWORD_WRONG"
    assert await reason(use.begin_link(user.id, "none", PASSWORD)) == "SIGN_IN_PROVIDER_UNKNOWN"
    answer = await shop.went(ann, user.id)
    assert await reason(use.complete_link(other.id, answer)) == "SIGN_IN_NOT_VALID"
    assert await reason(use.complete(answer, HOME)) == "SIGN_IN_NOT_VALID"
    assert (await use.complete_link(user.id, answer)).email == email
    assert (await shop.signed_in(ann)).user == user
    assert await reason(use.begin_link(user.id, "acme", PASSWORD)) == "LINK_EXISTS"
    assert await reason(use.complete_link(other.id, await shop.went(ann, other.id))) == "LINK_TAKEN"
    await use.unlink(user.id, "acme")
    await use.unlink(user.id, "acme")
    assert await use.links(user.id) == []
    # Each change is told to its owner once, and what was refused or repeated is not told.
    told = [user_events_pb2.SecurityChanged.FromString(row[0]) for row in await db.read(TOLD)]
    change = user_events_pb2.SecurityChanged
    assert [(event.user_id, event.change, event.provider) for event in told] == [
        (user.id, change.SIGN_IN_LINK_ADDED, "acme"),
        (user.id, change.SIGN_IN_LINK_REMOVED, "acme"),
    ]
    assert (await shop.signed_in(ann)).user.email == email


async def test_an_erased_account_leaves_no_link_and_no_attempt(
    db: database.Database, shop: Shop, hands: Hands, ann: str, email: str
) -> None:
    user = await shop.registered(email, "CUSTOMER")
    await shop.signed_in(ann)
    factors = shop.users.second_factors
    secret = (await factors.begin(Owner(user.id, password=PASSWORD))).secret
    await factors.confirm(Owner(user.id, code=pyotp.TOTP(secret).at(hands())))
    assert await reason(shop.signed_in(ann)) == "SECOND_FACTOR_REQUIRED"
    assert await db.read(LEFT, {"email": email}) == [(1,)]
    await shop.users.accounts.erase(user.id, PASSWORD)
    assert await db.read(LEFT, {"email": email}) == [(0,)]
    assert (await shop.signed_in(ann)).user.id != user.id
