"""Passwords: real argon2id, in real threads."""

import asyncio
from collections.abc import AsyncIterator

import argon2
import bcrypt
import pytest
import pytest_asyncio

from services.user import domain, passwords

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest_asyncio.fixture
async def hashing() -> AsyncIterator[passwords.Passwords]:
    made = passwords.Passwords()
    yield made
    await made.stop()


async def matches(hashing: passwords.Passwords, password: str, hashed: str | None) -> bool:
    return await hashing.compare(password, hashed) is not domain.Match.NONE


async def test_a_password_matches_its_own_hash_and_no_other(hashing: passwords.Passwords) -> None:
    hashed = await hashing.hash("correct horse battery")
    assert await matches(hashing, "correct horse battery", hashed)
    assert not await matches(hashing, "Correct horse battery", hashed)


async def test_two_hashes_of_one_password_differ(hashing: passwords.Passwords) -> None:
    assert await hashing.hash("correct horse battery") != await hashing.hash("correct horse battery")


async def test_a_hash_is_argon2id_with_the_documented_parameters(hashing: passwords.Passwords) -> None:
    assert (await hashing.hash("correct horse battery")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_nobodys_password_matches_nothing(hashing: passwords.Passwords) -> None:
    assert not await matches(hashing, "nobody has this password", None)


async def test_what_is_no_hash_matches_nothing(hashing: passwords.Passwords) -> None:
    assert not await matches(hashing, "correct horse battery", "not a hash")


async def test_a_hash_made_with_other_parameters_verifies_and_is_outdated(hashing: passwords.Passwords) -> None:
    old = CHEAP.hash("correct horse battery")
    assert await matches(hashing, "correct horse battery", old)
    assert hashing.outdated(old)
    assert not hashing.outdated(await hashing.hash("correct horse battery"))


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
async def test_a_hash_of_bcrypt_verifies_and_is_outdated(hashing: passwords.Passwords, prefix: bytes) -> None:
    old = bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(4)).replace(b"2b", prefix, 1).decode()
    assert await matches(hashing, "correct horse battery", old)
    assert not await matches(hashing, "Correct horse battery", old)
    assert hashing.outdated(old)


async def test_bcrypt_compares_the_first_72_bytes_of_a_password_whatever_script_it_is_in(
    hashing: passwords.Passwords,
) -> None:
    for long in ("x" * 100, "é" * 100, "x" + "é" * 100):
        old = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
        assert await matches(hashing, long, old)
        assert not await matches(hashing, "y" + long[1:], old)


async def test_what_only_begins_like_a_hash_of_bcrypt_matches_nothing(hashing: passwords.Passwords) -> None:
    for broken in ("$2b$", "$2b$04$short", "$2b$99$" + "x" * 53):
        assert not await matches(hashing, "correct horse battery", broken)


# "é" in one code point and in two, a no-break space and a usual one: what keyboards make of the same key.
COMPOSED, TYPED_APART = "caf\u00e9 au lait, chaud", "cafe\u0301 au\u00a0lait, chaud"


async def test_a_password_is_the_same_however_a_keyboard_sends_it(hashing: passwords.Passwords) -> None:
    for made, typed in ((COMPOSED, TYPED_APART), (TYPED_APART, COMPOSED)):
        assert await hashing.compare(typed, await hashing.hash(made)) is domain.Match.YES


async def test_what_people_can_tell_apart_stays_apart(hashing: passwords.Passwords) -> None:
    hashed = await hashing.hash("ﬁre and water 1")
    assert not await matches(hashing, "fire and water 1", hashed)


async def test_a_hash_of_what_was_typed_before_matches_as_it_was_typed_and_no_other_way(
    hashing: passwords.Passwords,
) -> None:
    old = CHEAP.hash(TYPED_APART)
    assert await hashing.compare(TYPED_APART, old) is domain.Match.AS_TYPED
    assert not await matches(hashing, COMPOSED, old)
    assert not await matches(hashing, TYPED_APART, None)


async def test_a_caller_who_gave_up_leaves_no_work_behind() -> None:
    hashing = passwords.Passwords()
    given_up = [asyncio.create_task(hashing.hash("x")) for _ in range(50)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    assert await asyncio.wait_for(hashing.hash("x"), 5)
    await hashing.stop()
