"""Passwords: real argon2id, in real threads."""

import asyncio
from collections.abc import AsyncIterator

import argon2
import bcrypt
import pytest
import pytest_asyncio

from services.chassis import errors
from services.user import passwords

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest_asyncio.fixture
async def hashing() -> AsyncIterator[passwords.Passwords]:
    made = passwords.Passwords()
    yield made
    await made.stop()


async def test_a_password_matches_its_own_hash_and_no_other(hashing: passwords.Passwords) -> None:
    hashed = await hashing.hash("correct horse battery")
    assert await hashing.matches("correct horse battery", hashed)
    assert not await hashing.matches("Correct horse battery", hashed)


async def test_two_hashes_of_one_password_differ(hashing: passwords.Passwords) -> None:
    assert await hashing.hash("correct horse battery") != await hashing.hash("correct horse battery")


async def test_a_hash_is_argon2id_with_the_documented_parameters(hashing: passwords.Passwords) -> None:
    assert (await hashing.hash("correct horse battery")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_nobodys_password_matches_nothing(hashing: passwords.Passwords) -> None:
    assert not await hashing.matches("nobody has this password", None)


async def test_what_is_no_hash_matches_nothing(hashing: passwords.Passwords) -> None:
    assert not await hashing.matches("correct horse battery", "not a hash")


async def test_a_hash_made_with_other_parameters_verifies_and_is_outdated(hashing: passwords.Passwords) -> None:
    old = CHEAP.hash("correct horse battery")
    assert await hashing.matches("correct horse battery", old)
    assert hashing.outdated(old)
    assert not hashing.outdated(await hashing.hash("correct horse battery"))


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
async def test_a_hash_of_bcrypt_verifies_and_is_outdated(hashing: passwords.Passwords, prefix: bytes) -> None:
    old = bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(4)).replace(b"2b", prefix, 1).decode()
    assert await hashing.matches("correct horse battery", old)
    assert not await hashing.matches("Correct horse battery", old)
    assert hashing.outdated(old)


async def test_bcrypt_compares_the_first_72_bytes_of_a_password_whatever_script_it_is_in(
    hashing: passwords.Passwords,
) -> None:
    for long in ("x" * 100, "é" * 100, "x" + "é" * 100):
        old = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
        assert await hashing.matches(long, old)
        assert not await hashing.matches("y" + long[1:], old)


async def test_what_only_begins_like_a_hash_of_bcrypt_matches_nothing(hashing: passwords.Passwords) -> None:
    for broken in ("$2b$", "$2b$04$short", "$2b$99$" + "x" * 53):
        assert not await hashing.matches("correct horse battery", broken)


async def test_when_too_many_wait_the_next_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 3)
    hashing = passwords.Passwords(CHEAP)
    answers = await asyncio.gather(*(hashing.hash("x") for _ in range(5)), return_exceptions=True)
    turned_away = [answer for answer in answers if isinstance(answer, errors.DomainError)]
    assert [(error.kind, error.reason, error.retry_after_s) for error in turned_away] == [
        (errors.Kind.RESOURCE_EXHAUSTED, "OVERLOADED", 1)
    ] * 2
    assert (await hashing.hash("x")).startswith("$argon2id$")
    await hashing.stop()


async def test_a_caller_who_gave_up_leaves_no_work_behind() -> None:
    hashing = passwords.Passwords()
    given_up = [asyncio.create_task(hashing.hash("x")) for _ in range(50)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    assert hashing._waiting == 0
    assert await asyncio.wait_for(hashing.hash("x"), 5)
    await hashing.stop()
