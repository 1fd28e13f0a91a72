"""Accounts on a real database: made once, signed in, looked after."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import argon2
import bcrypt
import pytest

from services.chassis import database, errors
from services.user import domain, store, usecases
from services.user.domain import Role
from souk.user.v1 import user_events_pb2
from tests.support import tables

PASSWORD = "correct horse battery"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
OUTBOX = database.Statement("SELECT topic, key, type, sequence, payload FROM outbox ORDER BY id")
COUNT = database.Statement("SELECT count(*) FROM users WHERE email = %(email)s")
GIVE_HASH = database.Statement("UPDATE users SET password_hash = %(hash)s WHERE email = %(email)s")


def wanted(email: str = "", password: str = PASSWORD) -> domain.Registration:
    return domain.Registration(email or new_address(), password, "Ann")


def new_address() -> str:
    return f"ann.{uuid.uuid4().hex}@example.com"


async def hash_of(db: database.Database, email: str) -> str:
    account = await store.find_by_address(db, email)
    assert account is not None
    return account.password_hash


def test_the_migrated_database_is_what_the_tables_say(database_url: str) -> None:
    assert tables.differences(database_url, store.METADATA) == []


async def test_a_registered_customer_is_signed_in(accounts: usecases.Accounts) -> None:
    session = await accounts.register(wanted())
    assert session.user.roles == (Role.CUSTOMER,)
    assert await accounts.get(session.user.id) == session.user


async def test_the_address_is_kept_in_lower_case(accounts: usecases.Accounts) -> None:
    email = new_address()
    session = await accounts.register(wanted(email.upper()))
    assert session.user.email == email
    assert (await accounts.login(email.title(), PASSWORD)).user == session.user


async def test_an_account_and_its_event_are_written_together(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    user = (await accounts.register(wanted())).user
    [(topic, key, kind, sequence, payload)] = await db.read(OUTBOX)
    assert (topic, key, kind, sequence) == ("users", user.id, "souk.user.v1.UserRegistered", 1)
    said = user_events_pb2.UserRegistered.FromString(payload)
    assert (said.user_id, said.email, said.display_name) == (user.id, user.email, "Ann")


async def test_an_address_has_one_account(accounts: usecases.Accounts, db: database.Database) -> None:
    email = new_address()
    await accounts.register(wanted(email))
    with pytest.raises(errors.DomainError, match="EMAIL_TAKEN") as caught:
        await accounts.register(wanted(email.upper(), "another password"))
    assert caught.value.code is errors.Code.ALREADY_EXISTS
    assert (await accounts.login(email, PASSWORD)).user.email == email
    assert len(await db.read(OUTBOX)) == 1


async def test_of_many_registrations_at_once_one_wins(accounts: usecases.Accounts, db: database.Database) -> None:
    email = new_address()
    answers = await asyncio.gather(*(accounts.register(wanted(email)) for _ in range(8)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["DomainError"] * 7 + ["Session"]
    assert await db.read(COUNT, {"email": email}) == [(1,)]
    assert len(await db.read(OUTBOX)) == 1


async def test_no_password_is_stored(accounts: usecases.Accounts, db: database.Database) -> None:
    session = await accounts.register(wanted())
    assert (await hash_of(db, session.user.email)).startswith("$argon2id$")


async def _refusal(call: Awaitable[object]) -> tuple[object, ...]:
    with pytest.raises(errors.DomainError) as caught:
        await call
    error = caught.value
    return error.code, error.reason, error.message, dict(error.metadata), error.violations


async def test_a_wrong_address_and_a_wrong_password_look_the_same(accounts: usecases.Accounts) -> None:
    email = (await accounts.register(wanted())).user.email
    wrong_password = await _refusal(accounts.login(email, "not the password"))
    wrong_address = await _refusal(accounts.login(new_address(), PASSWORD))
    assert wrong_password == wrong_address
    assert wrong_password[:2] == (errors.Code.UNAUTHENTICATED, "CREDENTIALS_WRONG")


async def _hashing_cpu_s(login: Callable[[], Awaitable[object]]) -> float:
    """The least CPU time of several refused logins, in all threads: it is time that hashes take, however busy the machine."""
    took = []
    for _ in range(7):
        begun = time.process_time()
        with pytest.raises(errors.DomainError):
            await login()
        took.append(time.process_time() - begun)
    return min(took)


async def test_a_wrong_address_takes_as_long_as_a_wrong_password(accounts: usecases.Accounts) -> None:
    email = (await accounts.register(wanted())).user.email
    wrong_password = await _hashing_cpu_s(lambda: accounts.login(email, "not the password"))
    wrong_address = await _hashing_cpu_s(lambda: accounts.login("nobody@example.com", "not the password"))
    # Without a hash a login takes a tenth of one with it, or less; with two, twice as long.
    assert 0.6 < wrong_address / wrong_password < 1.6


async def test_a_hash_of_old_parameters_is_renewed_at_login_and_only_then(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    email = (await accounts.register(wanted())).user.email
    old = CHEAP.hash(PASSWORD)
    await db.read(GIVE_HASH, {"hash": old, "email": email})
    await _refusal(accounts.login(email, "not the password"))
    assert await hash_of(db, email) == old
    await accounts.login(email, PASSWORD)
    assert (await hash_of(db, email)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await accounts.login(email, PASSWORD)).user.email == email


async def test_a_hash_of_bcrypt_lets_its_owner_in_once_and_is_argon2id_from_then_on(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    email = (await accounts.register(wanted())).user.email
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await db.read(GIVE_HASH, {"hash": old, "email": email})
    assert (await _refusal(accounts.login(email, "not the password")))[1] == "CREDENTIALS_WRONG"
    assert await hash_of(db, email) == old
    await accounts.login(email, PASSWORD)
    assert (await hash_of(db, email)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await accounts.login(email, PASSWORD)


async def test_many_logins_at_once_that_renew_one_hash_are_all_let_in(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    email = (await accounts.register(wanted())).user.email
    await db.read(GIVE_HASH, {"hash": CHEAP.hash(PASSWORD), "email": email})
    sessions = await asyncio.gather(*(accounts.login(email, PASSWORD) for _ in range(6)))
    assert {session.user.email for session in sessions} == {email}


async def test_a_renewed_hash_does_not_undo_a_password_that_was_changed_meanwhile(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    email = (await accounts.register(wanted())).user.email
    read_before = await store.find_by_address(db, email)
    assert read_before is not None
    changed = CHEAP.hash("another password")
    await db.read(GIVE_HASH, {"hash": changed, "email": email})
    assert await accounts._renewed(read_before, PASSWORD, domain.Match.YES) == read_before
    assert await hash_of(db, email) == changed


async def test_an_unknown_account_is_not_found(accounts: usecases.Accounts) -> None:
    with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
        await accounts.get("01890000-0000-7000-8000-000000000000")


async def test_an_administrator_is_made_once(accounts: usecases.Accounts, db: database.Database) -> None:
    email = new_address()
    assert await accounts.ensure_admin(email.upper(), PASSWORD) == 1
    assert await accounts.ensure_admin(email, PASSWORD) == 0
    assert (await accounts.login(email, PASSWORD)).user.roles == (Role.ADMIN,)
    assert len(await db.read(OUTBOX)) == 1


async def test_processes_that_start_together_make_one_administrator(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    email = new_address()
    assert sum(await asyncio.gather(*(accounts.ensure_admin(email, PASSWORD) for _ in range(4)))) == 1
    assert await db.read(COUNT, {"email": email}) == [(1,)]


async def test_an_administrators_changed_password_counts_from_the_next_start(accounts: usecases.Accounts) -> None:
    email = new_address()
    await accounts.ensure_admin(email, PASSWORD)
    assert await accounts.ensure_admin(email, "another password") == 1
    await accounts.login(email, "another password")
    assert (await _refusal(accounts.login(email, PASSWORD)))[1] == "CREDENTIALS_WRONG"


async def test_an_account_with_the_administrators_address_becomes_theirs(accounts: usecases.Accounts) -> None:
    email = new_address()
    registered = await accounts.register(wanted(email, "the password of a squatter"))
    assert await accounts.ensure_admin(email, PASSWORD) == 1
    session = await accounts.login(email, PASSWORD)
    assert (session.user.id, session.user.roles) == (registered.user.id, (Role.CUSTOMER, Role.ADMIN))
    assert (await _refusal(accounts.login(email, "the password of a squatter")))[1] == "CREDENTIALS_WRONG"
