"""Somebody guesses passwords, hundreds at once: whoever has the right one signs in all the same.

Of the guesses those that get a turn are counted (`test_throttled_sign_ins.py`): most of them wait after that, and cost no hash.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.chassis import clock, database, errors
from services.user import domain, events, passwords, store, usecases
from tests.support import postgres, servers

PASSWORD = "correct horse battery"
GUESSES = 400
FORGET = database.Statement("DELETE FROM sign_in_failures")
WRONG = f"CREDENTIALS_WRONG: {errors.Code.UNAUTHENTICATED}"


class Signer:
    """Signs nothing: what a token says is not looked at here."""

    lifetime = timedelta(minutes=15)
    public_keys = ()

    def sign(self, user: domain.User, family_id: str, now: object) -> domain.Access:  # noqa: ARG002 - no matter whose
        return domain.Access("token", clock.utc_now())


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with postgres.fresh_database(servers.postgres_admin_url(), usecases.SERVICE) as url:
        yield url


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, events.PUBLISHED) as opened:
        await opened.read(FORGET)
        yield opened


@pytest_asyncio.fixture
async def accounts(db: database.Database) -> AsyncIterator[usecases.Accounts]:
    hashing = passwords.Passwords()
    sessions = usecases.Sessions(db, Signer(), timedelta(days=1), now=clock.utc_now)
    yield usecases.Accounts(db, hashing, sessions, now=clock.utc_now)
    await hashing.stop()


async def registered(accounts: usecases.Accounts, *, address: str) -> str:
    email = f"ann.{uuid.uuid4().hex}@example.com"
    await accounts.register(domain.Registration(email, PASSWORD, "Ann", address))
    return email


async def outcome(call: object) -> str:
    try:
        await call  # type: ignore[misc]  # a coroutine, of whatever kind
    except errors.DomainError as error:
        if error.code is errors.Code.RESOURCE_EXHAUSTED and error.retry_after_s:
            return error.reason
        return f"{error.reason}: {error.code}"
    return "signed in"


async def seconds_to_sign_in(accounts: usecases.Accounts, email: str, address: str) -> float:
    begun = time.perf_counter()
    await accounts.login(email, PASSWORD, origin=domain.Origin(address))
    return time.perf_counter() - begun


@pytest.mark.parametrize(
    ("guesser", "victim"),
    [("6.6.6.6", "somebody@example.com"), ("6.6.6.6", "somebody{}@example.com"), ("6.6.6.{}", "somebody@example.com")],
    ids=["one account", "many accounts", "many addresses"],
)
@pytest.mark.parametrize("address", ["1.1.1.1", "6.6.6.6"], ids=["from elsewhere", "from the same address"])
async def test_a_good_login_takes_its_turn_among_four_hundred_wrong_ones(
    accounts: usecases.Accounts, guesser: str, victim: str, address: str
) -> None:
    email = await registered(accounts, address=address)
    alone = min([await seconds_to_sign_in(accounts, email, address) for _ in range(3)])
    attack = [
        asyncio.ensure_future(
            outcome(accounts.login(victim.format(n), "a guess at a password", origin=domain.Origin(guesser.format(n))))
        )
        for n in range(GUESSES)
    ]
    await asyncio.sleep(0)
    during = await seconds_to_sign_in(accounts, email, address)
    answers = Counter(await asyncio.gather(*attack))
    assert set(answers) - {"SIGN_IN_THROTTLED"} == {WRONG, "OVERLOADED"}
    # Nobody but who changes the account with each guess has more than ten looked at.
    assert answers[WRONG] <= (len(attack) if "{}" in victim else 10)
    # A queue for all would keep it waiting for as long as 200 hashes take: a hundred times as long as one login alone.
    assert during < 30 * alone, (during, alone)
    assert answers["OVERLOADED"] > GUESSES / 2


async def test_who_never_signed_in_from_here_does_not_wait_behind_them_either(accounts: usecases.Accounts) -> None:
    email = await registered(accounts, address="1.1.1.1")
    alone = min([await seconds_to_sign_in(accounts, email, "1.1.1.1") for _ in range(3)])
    attack = [
        asyncio.ensure_future(
            outcome(accounts.login("somebody@example.com", "a guess", origin=domain.Origin("6.6.6.6")))
        )
        for _ in range(GUESSES)
    ]
    await asyncio.sleep(0)
    during = [await seconds_to_sign_in(accounts, email, address) for address in ("2.2.2.2", "6.6.6.6")]
    await asyncio.gather(*attack)
    assert max(during) < 50 * alone, (during, alone)


async def test_registrations_and_logins_do_not_wait_for_each_other(accounts: usecases.Accounts) -> None:
    email = await registered(accounts, address="1.1.1.1")
    alone = min([await seconds_to_sign_in(accounts, email, "1.1.1.1") for _ in range(3)])
    flood = [asyncio.ensure_future(outcome(registered(accounts, address="6.6.6.6"))) for _ in range(GUESSES)]
    await asyncio.sleep(0)
    during = await seconds_to_sign_in(accounts, email, "6.6.6.6")
    answers = Counter(await asyncio.gather(*flood))
    assert during < 30 * alone, (during, alone)
    assert set(answers) == {"signed in", "OVERLOADED"}


async def test_the_overflow_is_refused_before_anything_is_read(
    accounts: usecases.Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    async def find(_: database.Database, address: str, network: str) -> tuple[None, bool]:
        read.append((address, network))
        return None, False

    monkeypatch.setattr(store, "find_to_sign_in", find)
    attack = [
        outcome(accounts.login("somebody@example.com", "a guess", origin=domain.Origin("6.6.6.6")))
        for _ in range(GUESSES)
    ]
    answers = Counter(await asyncio.gather(*attack))
    looked_at = answers[WRONG] + answers["SIGN_IN_THROTTLED"]
    assert len(read) == looked_at <= passwords.LOGINS * (passwords.WAITING_A_WORKER + 1)
    assert answers[WRONG] == 10
