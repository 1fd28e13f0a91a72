"""Passwords: hashed with argon2id, in a few threads of their own, because one takes some 20 ms of CPU and 19 MiB.

What a hash was made with stands in it, so the parameters may change: old hashes still verify, and are made anew at the
next login. Hashes that an older system made with bcrypt are accepted in the same way: they verify, once, and are made
anew. bcrypt looks at the first 72 bytes of a password and no further, so the rest of a longer one is not compared until
then. Comparing with such a hash takes as long as its own cost says, so until their next login those who have one can be told
from others by the time it takes.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import TypeVar

import argon2
import bcrypt

from services.chassis import errors

Result = TypeVar("Result")

THREADS = 2
# More than this many wait longer than a caller does (a hash takes some 20 ms): they are turned away at once instead.
MOST_WAITING = 200
# RFC 9106 and OWASP: 19 MiB, two passes, one lane.
HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=argon2.Type.ID)

BCRYPT = ("$2a$", "$2b$", "$2y$")
BCRYPT_BYTES = 72


class Passwords:
    """Hashes and compares. Raises OVERLOADED when too many wait already."""

    def __init__(self, hasher: argon2.PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._threads = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        # What nobody's password is compared with: made like every other hash, so that it takes as long.
        self._nobodys = hasher.hash("nobody has this password")

    async def start(self) -> None:
        """Nothing: threads start when they are needed."""

    async def stop(self) -> None:
        """End the threads; what waits is dropped."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash of a password, with a salt and the parameters in it."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether this password made the hash. Without a hash (there is no such account) it is False as late as ever."""
        same = await self._in_thread(lambda: self._verify(password, hashed or self._nobodys))
        return same and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether the hash was made in another way, or with other parameters, than today."""
        return hashed.startswith(BCRYPT) or self._hasher.check_needs_rehash(hashed)

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            if hashed.startswith(BCRYPT):
                return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], hashed.encode())
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            return False

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MOST_WAITING:
            raise errors.overloaded()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
