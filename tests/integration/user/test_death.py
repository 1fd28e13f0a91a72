"""What is left when the process dies at the next line: for every write, nothing or all of it."""

import uuid

import argon2
import pytest

from services.chassis import database, errors
from services.user import domain, store, usecases
from tests.integration.user import mortal as process
from tests.support import mortal

MODULE = process.__name__
PASSWORD = "correct horse battery"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
OUTBOX = database.Statement("SELECT key FROM outbox")
GIVE_HASH = database.Statement("UPDATE users SET password_hash = %(hash)s WHERE email = %(email)s")


@pytest.fixture
def email() -> str:
    return f"ann.{uuid.uuid4().hex}@example.com"


@pytest.fixture
def wanted(email: str) -> domain.Registration:
    return domain.Registration(email, PASSWORD, "Ann")


def dies(database_url: str, does: str, at: str, email: str) -> None:
    mortal.dies(MODULE, database_url, at=at, DOES=does, EMAIL=email, PASSWORD=PASSWORD)


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
