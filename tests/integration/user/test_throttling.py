"""Sign-ins that fail, counted in a real database: guessing is slow from everywhere, and keeps nobody out who was here before."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.chassis import database, errors
from services.user import domain, passwords, refresh_tokens, usecases
from services.user.domain import proofs, throttling
from services.user.domain.throttling import Whose
from services.user.store import proofs as proof_rows
from tests.integration.user import mortal as process
from tests.integration.user.conftest import Hands
from tests.support import mortal

PASSWORD, GUESS = "correct horse battery", "a guess"
HOME = domain.Origin("192.0.2.7")
GUESSES = 50
FORGET = database.Statement("DELETE FROM sign_in_failures")
ROWS = database.Statement("SELECT failures FROM sign_in_failures ORDER BY failures")
TEXTS = database.Statement("SELECT f::text FROM sign_in_failures AS f")


@pytest_asyncio.fixture(autouse=True)
async def nothing_counted(db: database.Database) -> AsyncIterator[None]:
    await db.read(FORGET)
    yield


@pytest_asyncio.fixture
async def ann(accounts: usecases.Accounts) -> domain.User:
    """Ann, who registered at home."""
    wanted = domain.Registration(f"ann.{uuid.uuid4().hex}@example.com", PASSWORD, "Ann", HOME.address)
    return (await accounts.register(wanted)).user


async def outcome(accounts: usecases.Accounts, email: str, address: str = "203.0.113.9", sent: str = GUESS) -> str:
    try:
        await accounts.login(email, sent, origin=domain.Origin(address))
    except errors.DomainError as error:
        return error.reason
    return "signed in"


async def guesses(accounts: usecases.Accounts, email: str, how_many: int, address: str = "203.0.113.9") -> Counter[str]:
    return Counter([await outcome(accounts, email, address) for _ in range(how_many)])


async def counts(db: database.Database) -> list[int]:
    return [failures for (failures,) in await db.read(ROWS)]


async def test_changing_the_address_helps_nobody_and_the_owner_signs_in_from_home(
    accounts: usecases.Accounts, ann: domain.User
) -> None:
    found = Counter([await outcome(accounts, ann.email, f"203.0.113.{n}") for n in range(30)])
    assert found == {"CREDENTIALS_WRONG": 10, "SIGN_IN_THROTTLED": 20}
    # The right password is not told apart from a wrong one, from where nobody knows her.
    assert await outcome(accounts, ann.email, "198.51.100.1", PASSWORD) == "SIGN_IN_THROTTLED"
    for _ in range(3):
        assert await outcome(accounts, ann.email, HOME.address, PASSWORD) == "signed in"


async def test_one_address_that_guesses_many_accounts_waits(accounts: usecases.Accounts, ann: domain.User) -> None:
    found = Counter([await outcome(accounts, f"somebody{n}@example.com") for n in range(104)])
    assert found == {"CREDENTIALS_WRONG": 100, "SIGN_IN_THROTTLED": 4}
    assert await outcome(accounts, ann.email, "203.0.113.9", PASSWORD) == "SIGN_IN_THROTTLED"
    assert await outcome(accounts, ann.email, "203.0.113.10", PASSWORD) == "signed in"


async def test_whoever_guesses_from_where_the_owner_was_waits_there_alone(
    accounts: usecases.Accounts, ann: domain.User, hands: Hands
) -> None:
    assert await guesses(accounts, ann.email, 12, HOME.address) == {"CREDENTIALS_WRONG": 10, "SIGN_IN_THROTTLED": 2}
    assert await outcome(accounts, ann.email, HOME.address, PASSWORD) == "SIGN_IN_THROTTLED"
    assert await outcome(accounts, ann.email, "198.51.100.1", PASSWORD) == "signed in"
    hands.ahead += throttling.FIRST_WAIT
    assert await outcome(accounts, ann.email, HOME.address, PASSWORD) == "signed in"
    assert await guesses(accounts, ann.email, 10, HOME.address) == {"CREDENTIALS_WRONG": 10}


async def test_the_wait_doubles_and_is_over_in_time(
    accounts: usecases.Accounts, ann: domain.User, hands: Hands
) -> None:
    await guesses(accounts, ann.email, 10)
    for seconds in (30, 60, 120):
        hands.ahead += timedelta(seconds=seconds - 10)
        assert await outcome(accounts, ann.email) == "SIGN_IN_THROTTLED"
        hands.ahead += timedelta(seconds=11)
        assert await guesses(accounts, ann.email, 2) == {"CREDENTIALS_WRONG": 1, "SIGN_IN_THROTTLED": 1}
    hands.ahead += throttling.FORGOTTEN_AFTER
    assert await guesses(accounts, ann.email, 11) == {"CREDENTIALS_WRONG": 10, "SIGN_IN_THROTTLED": 1}


async def test_a_success_takes_its_own_try_back_and_no_other(
    accounts: usecases.Accounts, ann: domain.User, db: database.Database
) -> None:
    await guesses(accounts, ann.email, 4)
    assert await counts(db) == [4, 4]
    assert await outcome(accounts, ann.email, "203.0.113.9", PASSWORD) == "signed in"
    assert await counts(db) == [4, 4]
    # From here on the address is hers, and what failed there before is still counted on others.
    for _ in range(2):
        assert await outcome(accounts, ann.email, "203.0.113.9", PASSWORD) == "signed in"
    assert await counts(db) == [4, 4]


async def test_somebody_does_not_reset_an_address_with_an_account_of_their_own(
    accounts: usecases.Accounts, ann: domain.User, hands: Hands
) -> None:
    for n in range(100):
        await outcome(accounts, f"somebody{n}@example.com")
    hands.ahead += throttling.FIRST_WAIT
    assert await outcome(accounts, ann.email, "203.0.113.9", PASSWORD) == "signed in"
    assert await guesses(accounts, "somebody@example.com", 2) == {"CREDENTIALS_WRONG": 1, "SIGN_IN_THROTTLED": 1}


async def test_who_signs_in_rightly_is_never_throttled_and_leaves_nothing(
    accounts: usecases.Accounts, db: database.Database
) -> None:
    origins = [f"198.51.100.{n}" for n in range(3)] * 8
    wanted = domain.Registration(f"bob.{uuid.uuid4().hex}@example.com", PASSWORD, "Bob")
    await accounts.register(wanted)
    assert {await outcome(accounts, wanted.email, origin, PASSWORD) for origin in origins} == {"signed in"}
    assert await counts(db) == []


@pytest.mark.parametrize("address", ["203.0.113.{}", HOME.address], ids=["many addresses", "where the owner was"])
async def test_of_fifty_guesses_at_once_no_more_are_looked_at_than_are_free(
    accounts: usecases.Accounts, ann: domain.User, address: str
) -> None:
    found = Counter(await asyncio.gather(*(outcome(accounts, ann.email, address.format(n)) for n in range(GUESSES))))
    assert found["CREDENTIALS_WRONG"] == 10
    assert found["CREDENTIALS_WRONG"] + found["SIGN_IN_THROTTLED"] + found["OVERLOADED"] == GUESSES


async def test_right_and_wrong_ones_at_once_count_the_wrong_ones(
    accounts: usecases.Accounts, ann: domain.User, db: database.Database
) -> None:
    both = [PASSWORD, GUESS] * 6
    tries = (outcome(accounts, ann.email, f"203.0.113.{n}", sent) for n, sent in enumerate(both))
    found = Counter(await asyncio.gather(*tries))
    assert set(found) <= {"signed in", "CREDENTIALS_WRONG", "SIGN_IN_THROTTLED"}
    assert max(await counts(db)) == found["CREDENTIALS_WRONG"]


async def test_an_account_that_does_not_exist_is_throttled_like_one_that_does(
    accounts: usecases.Accounts, ann: domain.User
) -> None:
    answers = []
    for email in (ann.email, "nobody@example.com"):
        found = []
        for n in range(14):
            with pytest.raises(errors.DomainError) as caught:
                await accounts.login(email, GUESS, origin=domain.Origin(f"203.0.113.{n}"))
            error = caught.value
            found.append(
                (error.code, error.reason, error.message, dict(error.metadata), round(error.retry_after_s or 0))
            )
        answers.append(found)
    # The wait of the second is a moment younger.
    assert [said[:4] for said in answers[0]] == [said[:4] for said in answers[1]]
    assert [said[4] for said in answers[0][:10]] == [said[4] for said in answers[1][:10]] == [0] * 10
    assert all(25 <= said[4] <= 30 for found in answers for said in found[10:])


async def test_what_is_counted_names_nobody(
    accounts: usecases.Accounts, ann: domain.User, db: database.Database
) -> None:
    await guesses(accounts, ann.email, 1)
    await guesses(accounts, ann.email, 1, HOME.address)
    rows = [row for (row,) in await db.read(TEXTS)]
    assert len(rows) == 3
    for text in (ann.email, HOME.address, "203.0.113.9"):
        assert not any(text in row or text.encode().hex() in row for row in rows)


async def test_a_new_password_by_mail_lets_its_owner_in_from_a_new_address(
    accounts: usecases.Accounts, ann: domain.User, hashing: passwords.Passwords, db: database.Database, hands: Hands
) -> None:
    await guesses(accounts, ann.email, 11)
    token, now, new = refresh_tokens.new(hands() + timedelta(hours=1)), hands(), "another password"
    proof = proofs.Proof(token.digest, ann.id, ann.id, proofs.Purpose.RESET, ann.email, now, token.expire_time)
    async with db.transaction() as transaction:
        await proof_rows.keep(transaction, [proof])
    await usecases.proving.Proving(db, accounts, hashing, now=hands).reset(token.text, new)
    assert await outcome(accounts, ann.email, "198.51.100.1", new) == "signed in"


async def test_what_expired_is_deleted(
    accounts: usecases.Accounts, sessions: usecases.Sessions, ann: domain.User, db: database.Database, hands: Hands
) -> None:
    await guesses(accounts, ann.email, 3)
    await sessions.purge()
    assert await counts(db) == [3, 3]
    hands.ahead += throttling.FORGOTTEN_AFTER + timedelta(seconds=1)
    await sessions.purge()
    assert await counts(db) == []


@pytest.mark.parametrize("known", [True, False])
async def test_a_try_whose_process_died_counts_as_one_that_failed(
    database_url: str, accounts: usecases.Accounts, ann: domain.User, db: database.Database, *, known: bool
) -> None:
    address = HOME.address if known else "203.0.113.9"
    died = {"EMAIL": ann.email, "PASSWORD": PASSWORD, "ADDRESS": address}
    mortal.dies(process.__name__, database_url, at=process.COMPARING, DOES="login", **died)
    assert await counts(db) == ([1] if known else [1, 1])
    assert await outcome(accounts, ann.email, address, PASSWORD) == "signed in"
    # Where the owner was before nothing is left of it.
    assert await counts(db) == ([] if known else [1, 1])


async def test_a_try_whose_caller_gave_up_counts_as_one_that_failed(
    accounts: usecases.Accounts, ann: domain.User, db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def never(_password: str, _hashed: str | None) -> domain.Match:
        asked.set()
        await asyncio.Event().wait()
        return domain.Match.NONE

    monkeypatch.setattr(accounts._passwords, "compare", never)
    call = asyncio.ensure_future(outcome(accounts, ann.email, "203.0.113.9", PASSWORD))
    await asked.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert await counts(db) == [1, 1]


def test_each_count_has_its_own_number_of_free_tries() -> None:
    assert throttling.FREE_TRIES == {Whose.KNOWN: 10, Whose.ACCOUNT: 10, Whose.NETWORK: 100}
