"""Sign-ins on a real database: exchanged, repeated, stolen, ended."""

import asyncio
import logging
import uuid
from datetime import timedelta

import argon2
import pytest

from services.chassis import database, errors
from services.user import domain, refresh_tokens, usecases
from services.user.domain import Role
from souk.user.v1 import user_events_pb2, user_pb2
from tests.integration.user.conftest import LIFETIME, Hands

PASSWORD = "correct horse battery"
NOBODYS = "01890000-0000-7000-8000-000000000000"
STORED = database.Statement("SELECT digest FROM refresh_tokens")
OUTBOX = database.Statement("SELECT key, type, sequence, payload FROM outbox ORDER BY id")
GIVE_HASH = database.Statement("UPDATE users SET password_hash = %(hash)s WHERE email = %(email)s")
COUNTS = database.Statement("""
SELECT (SELECT count(*) FROM token_families WHERE user_id = %(user_id)s),
  (SELECT count(*) FROM refresh_tokens JOIN token_families AS f ON f.id = family_id WHERE user_id = %(user_id)s)
""")


def new_address() -> str:
    return f"ann.{uuid.uuid4().hex}@example.com"


async def signed_in(accounts: usecases.Accounts) -> domain.Session:
    return await accounts.register(domain.Registration(new_address(), PASSWORD, "Ann"))


async def refusal(sessions: usecases.Sessions, session: domain.Session) -> str:
    with pytest.raises(errors.DomainError) as caught:
        await sessions.refresh(session.refresh.text)
    assert caught.value.code is errors.Code.UNAUTHENTICATED
    return caught.value.reason


async def test_a_refresh_token_exchanges_for_the_next_session(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands
) -> None:
    session = await signed_in(accounts)
    for _ in range(3):
        hands.ahead += timedelta(hours=1)
        following = await sessions.refresh(session.refresh.text)
        assert following.user == session.user
        assert following.refresh.text != session.refresh.text
        assert following.refresh.expire_time - session.refresh.expire_time > timedelta(minutes=59)
        session = following


async def test_only_a_hash_of_a_token_is_kept(
    accounts: usecases.Accounts, db: database.Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        session = await signed_in(accounts)
    stored = [bytes(row[0]) for row in await db.read(STORED)]
    assert refresh_tokens.digest(session.refresh.text) in stored
    assert session.refresh.text.encode() not in stored
    assert session.refresh.text not in caplog.text
    assert session.access.access_token not in caplog.text


async def test_a_token_sent_again_within_the_grace_gives_another_session_of_the_same_sign_in(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands
) -> None:
    session = await signed_in(accounts)
    one = await sessions.refresh(session.refresh.text)
    hands.ahead += timedelta(seconds=5)
    two = await sessions.refresh(session.refresh.text)
    assert one.refresh.text != two.refresh.text
    await sessions.end(two.refresh.text)
    assert await refusal(sessions, one) == "REFRESH_TOKEN_INVALID"


async def test_a_token_sent_again_later_revokes_all_that_came_of_the_sign_in_and_no_other(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands
) -> None:
    session = await signed_in(accounts)
    other = await accounts.login(session.user.email, PASSWORD)
    following = await sessions.refresh(session.refresh.text)
    hands.ahead += timedelta(seconds=11)
    assert await refusal(sessions, session) == "REFRESH_TOKEN_REUSED"
    assert await refusal(sessions, following) == "REFRESH_TOKEN_INVALID"
    assert await refusal(sessions, session) == "REFRESH_TOKEN_INVALID"
    assert (await sessions.refresh(other.refresh.text)).user == session.user


async def test_the_grace_counts_from_the_first_use(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands
) -> None:
    session = await signed_in(accounts)
    for _ in range(2):
        await sessions.refresh(session.refresh.text)
        hands.ahead += timedelta(seconds=6)
    assert await refusal(sessions, session) == "REFRESH_TOKEN_REUSED"


async def test_a_token_sent_many_times_at_once_is_used_once_and_repeated(
    accounts: usecases.Accounts, sessions: usecases.Sessions, db: database.Database
) -> None:
    session = await signed_in(accounts)
    following = await asyncio.gather(*(sessions.refresh(session.refresh.text) for _ in range(6)))
    assert len({item.refresh.text for item in following}) == 6
    assert await db.read(COUNTS, {"user_id": session.user.id}) == [(1, 7)]


async def test_a_token_ends_by_itself(accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands) -> None:
    session = await signed_in(accounts)
    hands.ahead = LIFETIME + timedelta(seconds=1)
    assert await refusal(sessions, session) == "REFRESH_TOKEN_INVALID"


async def test_a_token_that_nobody_gave_out_is_refused(sessions: usecases.Sessions) -> None:
    with pytest.raises(errors.DomainError, match="REFRESH_TOKEN_INVALID"):
        await sessions.refresh("x" * 43)


async def test_after_a_logout_the_sign_in_is_over_however_often_it_is_said(
    accounts: usecases.Accounts, sessions: usecases.Sessions
) -> None:
    session = await signed_in(accounts)
    following = await sessions.refresh(session.refresh.text)
    for text in (session.refresh.text, session.refresh.text, following.refresh.text, "nobody gave this out"):
        await sessions.end(text)
    assert await refusal(sessions, following) == "REFRESH_TOKEN_INVALID"


async def test_what_ended_is_forgotten_and_what_lives_stays(
    accounts: usecases.Accounts, sessions: usecases.Sessions, db: database.Database, hands: Hands
) -> None:
    gone, kept = await signed_in(accounts), await signed_in(accounts)
    hands.ahead = LIFETIME - timedelta(days=1)
    kept = await sessions.refresh(kept.refresh.text)
    hands.ahead = LIFETIME + timedelta(days=1)
    assert await sessions.purge() >= 2
    assert await db.read(COUNTS, {"user_id": gone.user.id}) == [(0, 0)]
    assert await db.read(COUNTS, {"user_id": kept.user.id}) == [(1, 1)]
    assert (await sessions.refresh(kept.refresh.text)).user == kept.user


async def test_a_new_name_is_told_and_leaves_the_sign_ins_open(
    accounts: usecases.Accounts, sessions: usecases.Sessions, db: database.Database
) -> None:
    session = await signed_in(accounts)
    user = await accounts.update(session.user.id, domain.ProfileChange("Anna"))
    assert (user.display_name, user.version) == ("Anna", 2)
    assert (await sessions.refresh(session.refresh.text)).user == user
    key, kind, sequence, payload = (await db.read(OUTBOX))[-1]
    assert (key, kind, sequence) == (user.id, "souk.user.v1.UserChanged", 2)
    said = user_events_pb2.UserChanged.FromString(payload)
    assert (said.display_name, said.email, list(said.roles)) == ("Anna", user.email, [user_pb2.User.CUSTOMER])


async def test_a_change_of_nothing_changes_nothing(accounts: usecases.Accounts, db: database.Database) -> None:
    session = await signed_in(accounts)
    for change in (domain.ProfileChange(), domain.ProfileChange("Ann")):
        assert await accounts.update(session.user.id, change) == session.user
    assert len(await db.read(OUTBOX)) == 1


async def test_a_new_password_ends_every_sign_in_and_the_old_one_opens_nothing(
    accounts: usecases.Accounts, sessions: usecases.Sessions
) -> None:
    session = await signed_in(accounts)
    other = await accounts.login(session.user.email, PASSWORD)
    await accounts.update(session.user.id, domain.ProfileChange(None, PASSWORD, "another password"))
    assert [await refusal(sessions, each) for each in (session, other)] == ["REFRESH_TOKEN_INVALID"] * 2
    with pytest.raises(errors.DomainError, match="CREDENTIALS_WRONG"):
        await accounts.login(session.user.email, PASSWORD)
    assert (await accounts.login(session.user.email, "another password")).user.id == session.user.id


async def test_a_new_password_needs_the_one_of_now(accounts: usecases.Accounts, sessions: usecases.Sessions) -> None:
    session = await signed_in(accounts)
    for wrong in ("", "not the password"):
        with pytest.raises(errors.DomainError, match="PASSWORD_WRONG") as caught:
            await accounts.update(session.user.id, domain.ProfileChange("Anna", wrong, "another password"))
        assert [violation.field for violation in caught.value.violations] == ["current_password"]
    assert await accounts.get(session.user.id) == session.user
    await sessions.refresh(session.refresh.text)


async def test_of_logins_beside_a_new_password_none_survives_with_the_old_one(
    accounts: usecases.Accounts, sessions: usecases.Sessions
) -> None:
    session = await signed_in(accounts)
    logins = [accounts.login(session.user.email, PASSWORD) for _ in range(6)]
    change = accounts.update(session.user.id, domain.ProfileChange(None, PASSWORD, "another password"))
    *opened, _ = await asyncio.gather(*logins, change, return_exceptions=True)
    for each in opened:
        if isinstance(each, domain.Session):
            assert await refusal(sessions, each) == "REFRESH_TOKEN_INVALID"


async def test_of_two_new_passwords_at_once_one_wins(accounts: usecases.Accounts) -> None:
    session = await signed_in(accounts)
    wanted = ["the first password", "the second password"]
    changes = [domain.ProfileChange(None, PASSWORD, password) for password in wanted]
    answers = await asyncio.gather(
        *(accounts.update(session.user.id, change) for change in changes), return_exceptions=True
    )
    [refused] = [answer for answer in answers if isinstance(answer, errors.DomainError)]
    # The second compared before or after the first was written.
    assert refused.reason in {"ACCOUNT_CHANGED", "PASSWORD_WRONG"}


async def test_roles_count_from_the_next_session_and_are_told(
    accounts: usecases.Accounts, sessions: usecases.Sessions, db: database.Database, admin_id: str
) -> None:
    session = await signed_in(accounts)
    user = await accounts.set_roles(session.user.id, [Role.VENDOR, Role.CUSTOMER], admin_id=admin_id)
    assert (user.roles, user.version) == ((Role.CUSTOMER, Role.VENDOR), 2)
    assert (await sessions.refresh(session.refresh.text)).user == user
    assert await accounts.set_roles(user.id, [Role.CUSTOMER, Role.VENDOR], admin_id=admin_id) == user
    assert [row[2] for row in await db.read(OUTBOX)] == [1, 2]


async def test_administrators_keep_their_own_role_and_share_it(accounts: usecases.Accounts, admin_id: str) -> None:
    admin, ann = (await signed_in(accounts)).user, (await signed_in(accounts)).user
    await accounts.set_roles(admin.id, [Role.ADMIN], admin_id=admin_id)
    with pytest.raises(errors.DomainError, match="OWN_ADMIN_ROLE"):
        await accounts.set_roles(admin.id, [Role.CUSTOMER], admin_id=admin.id)
    assert (await accounts.set_roles(admin.id, [Role.ADMIN, Role.VENDOR], admin_id=admin.id)).version == 3
    assert (await accounts.set_roles(ann.id, [Role.ADMIN], admin_id=admin.id)).roles == (Role.ADMIN,)


async def test_an_account_that_is_not_there_is_not_changed(accounts: usecases.Accounts, admin_id: str) -> None:
    for change in (
        accounts.update(NOBODYS, domain.ProfileChange("Anna")),
        accounts.set_roles(NOBODYS, [Role.VENDOR], admin_id=admin_id),
    ):
        with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
            await change


async def test_a_login_that_renews_a_hash_does_not_undo_roles(
    accounts: usecases.Accounts, db: database.Database, admin_id: str
) -> None:
    session = await signed_in(accounts)
    old = domain.Account(session.user, argon2.PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD))
    await accounts.set_roles(session.user.id, [Role.VENDOR], admin_id=admin_id)
    await db.read(GIVE_HASH, {"hash": old.password_hash, "email": session.user.email})
    assert (await accounts._renewed(old, PASSWORD, domain.Match.YES)).password_hash != old.password_hash
    assert (await accounts.get(session.user.id)).roles == (Role.VENDOR,)


async def test_an_administrator_who_takes_over_an_account_ends_its_sign_ins(
    accounts: usecases.Accounts, sessions: usecases.Sessions
) -> None:
    session = await signed_in(accounts)
    await accounts.ensure_admin(session.user.email, "another password")
    assert await refusal(sessions, session) == "REFRESH_TOKEN_INVALID"
