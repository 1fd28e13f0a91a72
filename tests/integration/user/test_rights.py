"""Who may change whose rights is asked of the database, whatever a token says; and what a change revokes."""

import asyncio
from datetime import timedelta

import jwt
import pytest

from services.chassis import database, errors
from services.chassis.rpc import identity, revocations
from services.user import domain, rpc, tokens, usecases
from services.user.domain import Role
from tests.integration.user.conftest import ISSUER, Hands
from tests.integration.user.test_sessions import signed_in
from tests.integration.user.test_usecases import PASSWORD

ADMINS = database.Statement("SELECT count(*) FROM users WHERE id = ANY(%(ids)s::uuid[]) AND 'ADMIN' = ANY(roles)")
NO_ADMINS = database.Statement("UPDATE users SET roles = ARRAY['CUSTOMER'] WHERE 'ADMIN' = ANY(roles)")


async def administrators(accounts: usecases.Accounts, admin_id: str, count: int) -> list[str]:
    ids = [(await signed_in(accounts)).user.id for _ in range(count)]
    for user_id in ids:
        await accounts.set_roles(user_id, [Role.ADMIN], admin_id=admin_id)
    return ids


async def test_who_is_no_administrator_any_more_changes_nothing_whatever_the_token_says(
    accounts: usecases.Accounts, admin_id: str
) -> None:
    [was] = await administrators(accounts, admin_id, 1)
    await accounts.set_roles(was, [Role.CUSTOMER], admin_id=admin_id)
    for target, roles in ((was, [Role.ADMIN]), (admin_id, [Role.CUSTOMER])):
        with pytest.raises(errors.DomainError) as refused:
            await accounts.set_roles(target, roles, admin_id=was)
        assert (refused.value.code, refused.value.reason) == (errors.Code.PERMISSION_DENIED, "ACCESS_DENIED")
    assert (await accounts.get(was)).roles == (Role.CUSTOMER,)
    assert (await accounts.get(admin_id)).roles == (Role.ADMIN,)


@pytest.mark.parametrize("count", [2, 3])
async def test_of_those_who_take_the_role_from_each_other_at_once_somebody_keeps_it(
    accounts: usecases.Accounts, db: database.Database, admin_id: str, count: int
) -> None:
    for _ in range(5):
        ids = await administrators(accounts, admin_id, count)
        circle = zip(ids, [*ids[1:], ids[0]], strict=True)
        answers = await asyncio.gather(
            *(accounts.set_roles(target, [Role.CUSTOMER], admin_id=actor) for actor, target in circle),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, BaseException)]
        assert {getattr(error, "reason", repr(error)) for error in refused} == {"ACCESS_DENIED"}
        [(left,)] = await db.read(ADMINS, {"ids": ids})
        assert left == len(refused) >= 1


class Let:
    """Lets callers in as every service does: by the keys, and by the list of what was revoked."""

    def __init__(self, keys: tokens.KeyRing, sessions: usecases.Sessions) -> None:
        self.revoked = revocations.Revocations("test", rpc.Authority(keys, sessions).revoked)
        self._tokens = identity.Tokens(ISSUER, keys.verifying, self.revoked)

    async def in_(self, session: domain.Session) -> str:
        """The id of who was let in, or why not, by what is known after asking again."""
        await self.revoked.follow()
        try:
            return (await self._tokens.verify(session.access.access_token)).user_id
        except errors.DomainError as error:
            return error.reason


@pytest.fixture
def let(keys: tokens.KeyRing, sessions: usecases.Sessions) -> Let:
    return Let(keys, sessions)


async def test_a_new_password_revokes_the_access_tokens_that_were_made_before(
    accounts: usecases.Accounts, let: Let
) -> None:
    first = await signed_in(accounts)
    second = await accounts.login(first.user.email, PASSWORD)
    assert await let.in_(first) == await let.in_(second) == first.user.id
    await accounts.update(first.user.id, domain.ProfileChange(None, PASSWORD, "another password"))
    assert await let.in_(first) == await let.in_(second) == "TOKEN_REVOKED"
    third = await accounts.login(first.user.email, "another password")
    assert await let.in_(third) == first.user.id


async def test_a_lost_role_revokes_the_tokens_that_carry_it_and_a_new_one_or_a_name_does_not(
    accounts: usecases.Accounts, sessions: usecases.Sessions, admin_id: str, let: Let
) -> None:
    customer = await signed_in(accounts)
    await accounts.update(customer.user.id, domain.ProfileChange("Anna"))
    await accounts.set_roles(customer.user.id, [Role.CUSTOMER, Role.VENDOR], admin_id=admin_id)
    assert await let.in_(customer) == customer.user.id
    vendor = await sessions.refresh(customer.refresh.text)
    await accounts.set_roles(customer.user.id, [Role.CUSTOMER], admin_id=admin_id)
    assert await let.in_(vendor) == await let.in_(customer) == "TOKEN_REVOKED"
    again = await sessions.refresh(vendor.refresh.text)
    assert await let.in_(again) == customer.user.id


async def test_a_token_made_of_what_was_read_before_the_role_was_lost_is_refused_too(
    accounts: usecases.Accounts, sessions: usecases.Sessions, admin_id: str, let: Let, db: database.Database
) -> None:
    [vendor] = await administrators(accounts, admin_id, 1)
    before = await accounts.get(vendor)
    await accounts.set_roles(vendor, [Role.CUSTOMER], admin_id=admin_id)
    [(family_id,)] = await db.read(
        database.Statement("SELECT id FROM token_families WHERE user_id = %(id)s"), {"id": vendor}
    )
    late = sessions.session(before, domain.SignIn(family_id, (await signed_in(accounts)).refresh))
    assert "ADMIN" in jwt.decode(late.access.access_token, options={"verify_signature": False})["roles"]
    assert await let.in_(late) == "TOKEN_REVOKED"


async def test_a_logout_and_a_stolen_refresh_token_revoke_their_sign_in_alone(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands, let: Let
) -> None:
    first = await signed_in(accounts)
    other, third = [await accounts.login(first.user.email, PASSWORD) for _ in range(2)]
    await sessions.end(first.refresh.text)
    await sessions.refresh(third.refresh.text)
    hands.ahead = timedelta(minutes=1)
    with pytest.raises(errors.DomainError, match="REFRESH_TOKEN_REUSED"):
        await sessions.refresh(third.refresh.text)
    assert await let.in_(first) == await let.in_(third) == "TOKEN_REVOKED"
    assert await let.in_(other) == first.user.id


async def test_what_is_revoked_is_told_in_parts_and_forgotten_with_the_last_token(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases.sessions, "REVOCATIONS_AT_ONCE", 2)
    await sessions.purge()
    ended = [await signed_in(accounts) for _ in range(5)]
    for session in ended:
        await sessions.end(session.refresh.text)
        await sessions.end(session.refresh.text)
    families = {
        jwt.decode(session.access.access_token, options={"verify_signature": False})["sid"] for session in ended
    }
    told, since, more = set(), None, True
    while more:
        revoked = await sessions.revocations(since)
        assert len(revoked.revocations) <= 2
        told |= {item.subject_id for item in revoked.revocations}
        since, more = revoked.next_since, revoked.more
    assert families <= told
    hands.ahead = timedelta(minutes=17)
    assert (await sessions.revocations(None)).revocations == []
    assert await sessions.purge() >= 5
