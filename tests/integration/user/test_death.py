"""What is left when the process dies at the next line: for every write, nothing or all of it."""

import uuid

import argon2
import pytest

from services.chassis import database, errors
from services.user import domain, store, usecases
from services.user.domain import providers as rules
from tests.integration.user import mortal as process
from tests.support import mortal

MODULE = process.__name__
PASSWORD = "correct horse battery"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
OUTBOX = database.Statement("SELECT key FROM outbox")
GIVE_HASH = database.Statement("UPDATE users SET password_hash = %(hash)s WHERE email = %(email)s")

VERIFY = database.Statement("UPDATE users SET email_verified = true WHERE email = %(email)s")
FORGET_LINKS = database.Statement("DELETE FROM sign_in_links")


@pytest.fixture
def email() -> str:
    return f"ann.{uuid.uuid4().hex}@example.com"


@pytest.fixture
def wanted(email: str) -> domain.Registration:
    return domain.Registration(email, PASSWORD, "Ann")


def dies(database_url: str, does: str, at: str, email: str = "", **more: str) -> None:
    mortal.dies(MODULE, database_url, at=at, DOES=does, EMAIL=email, PASSWORD=PASSWORD, **more)


async def test_a_registration_that_died_before_its_commit_never_was(
    database_url: str, db: database.Database, accounts: usecases.Accounts, wanted: domain.Registration
) -> None:
    dies(database_url, "register", mortal.WRITTEN, wanted.email)
    assert await db.read(OUTBOX) == []
    assert (await accounts.register(wanted)).user.email == wanted.email
    assert len(await db.read(OUTBOX)) == 1


@pytest.mark.parametrize("point", [mortal.COMMITTED, process.SIGNING])
async def test_a_registration_that_died_after_its_commit_is_there_and_its_event_will_be_published(
    database_url: str, db: database.Database, accounts: usecases.Accounts, wanted: domain.Registration, point: str
) -> None:
    dies(database_url, "register", point, wanted.email)
    with pytest.raises(errors.DomainError, match="EMAIL_TAKEN"):
        await accounts.register(wanted)
    user = (await accounts.login(wanted.email, PASSWORD)).user
    assert await db.read(OUTBOX) == [(user.id,)]


async def test_a_login_that_died_after_it_renewed_the_hash_is_simply_repeated(
    database_url: str, db: database.Database, accounts: usecases.Accounts, wanted: domain.Registration
) -> None:
    await accounts.register(wanted)
    await db.read(GIVE_HASH, {"hash": CHEAP.hash(PASSWORD), "email": wanted.email})
    dies(database_url, "login", process.SIGNING, wanted.email)
    account = await store.find_by_address(db, wanted.email)
    assert account is not None
    assert account.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await accounts.login(wanted.email, PASSWORD)).user == account.user


@pytest.mark.parametrize(("point", "left"), [(mortal.WRITTEN, 1), (mortal.COMMITTED, 0)])
async def test_an_administrator_is_there_after_the_next_start_however_the_last_one_ended(
    database_url: str, accounts: usecases.Accounts, email: str, point: str, left: int
) -> None:
    dies(database_url, "admin", point, email)
    assert await accounts.ensure_admin(email, PASSWORD) == left
    assert domain.Role.ADMIN in (await accounts.login(email, PASSWORD)).user.roles


async def test_a_refresh_that_died_before_its_answer_is_repeated_with_the_same_token(
    database_url: str, accounts: usecases.Accounts, sessions: usecases.Sessions, wanted: domain.Registration
) -> None:
    first = await accounts.register(wanted)
    dies(database_url, "refresh", process.SIGNING, TOKEN=first.refresh.text)
    second = await sessions.refresh(first.refresh.text)
    assert (await sessions.refresh(second.refresh.text)).user == first.user


@pytest.mark.parametrize(("point", "happened"), [(mortal.WRITTEN, False), (mortal.COMMITTED, True)])
async def test_a_new_name_and_password_and_their_event_and_the_end_of_sign_ins_are_one_or_none(
    database_url: str,
    db: database.Database,
    accounts: usecases.Accounts,
    sessions: usecases.Sessions,
    *,
    wanted: domain.Registration,
    point: str,
    happened: bool,
) -> None:
    session = await accounts.register(wanted)
    new = "another password"
    dies(database_url, "update", point, USER_ID=session.user.id, NEW_PASSWORD=new)
    assert (await accounts.get(session.user.id)).display_name == ("Anna" if happened else "Ann")
    # The change, and the news for its owner that the password is another.
    assert len(await db.read(OUTBOX)) == 1 + 2 * happened
    assert await _is_open(sessions, session) != happened
    await accounts.login(wanted.email, new if happened else PASSWORD)


async def _is_open(sessions: usecases.Sessions, session: domain.Session) -> bool:
    try:
        await sessions.refresh(session.refresh.text)
    except errors.DomainError:
        return False
    return True


@pytest.mark.parametrize(("point", "happened"), [(mortal.WRITTEN, False), (mortal.COMMITTED, True)])
async def test_roles_and_their_event_are_both_there_or_neither(
    database_url: str,
    db: database.Database,
    accounts: usecases.Accounts,
    *,
    wanted: domain.Registration,
    point: str,
    happened: bool,
    admin_id: str,
) -> None:
    user = (await accounts.register(wanted)).user
    dies(database_url, "roles", point, USER_ID=user.id, ADMIN_ID=admin_id)
    role = domain.Role.VENDOR if happened else domain.Role.CUSTOMER
    assert (await accounts.get(user.id)).roles == (role,)
    assert len(await db.read(OUTBOX)) == 1 + happened
    assert (await accounts.set_roles(user.id, [domain.Role.VENDOR], admin_id=admin_id)).roles == (domain.Role.VENDOR,)
    assert len(await db.read(OUTBOX)) == 2


@pytest.mark.parametrize(
    ("point", "known", "happened"),
    [(mortal.WRITTEN, False, False), (mortal.COMMITTED, False, True), (process.SIGNING, True, True)],
)
async def test_a_link_its_account_its_event_and_its_sign_in_are_one_or_none_and_the_call_may_be_repeated(
    database_url: str,
    db: database.Database,
    accounts: usecases.Accounts,
    *,
    email: str,
    point: str,
    known: bool,
    happened: bool,
) -> None:
    if known:
        await accounts.register(domain.Registration(email, PASSWORD, "Ann"))
        await db.read(VERIFY, {"email": email})
    users = usecases.users(db, accounts, accounts._sessions, accounts._passwords, now=accounts._now)
    use = users.providers
    use.openid = process.Acme()
    await db.read(FORGET_LINKS)
    started = await use.begin("acme")
    dies(database_url, "link", point, email, STATE=started.address, BINDING=started.binding)
    account = await store.find_by_address(db, email)
    assert (account is not None) == (known or happened)
    # The account, and the news for the owner of one that was there before that it has a link.
    assert len(await db.read(OUTBOX)) == (known or happened) + (known and happened)
    assert len(await use.links(account.user.id) if account else []) == happened
    # Who came is noted already, so the provider, which takes a code once, is not asked again.
    use.openid = usecases.providers.NoProviders()
    answer = rules.Answer("acme", started.address, "a code", started.binding)
    if happened:
        with pytest.raises(errors.DomainError, match="SIGN_IN_NOT_VALID"):
            await use.complete(answer, domain.NOWHERE)
    else:
        session = await use.complete(answer, domain.NOWHERE)
        assert session.user.email == email
        assert len(await use.links(session.user.id)) == 1
