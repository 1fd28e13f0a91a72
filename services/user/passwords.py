"""Passwords: hashed with argon2id, in a few threads of their own, because one takes some 20 ms of CPU and 19 MiB.

Before it is hashed a password is brought into one form, the OpaqueString of RFC 8265: keyboards send the same letter in one
code point or in two, and the same space in several ways. It is NFC and not NFKC: people can tell a letter from its ligature.
Hashes from before that were made of what was typed; so what is typed is compared too, and such a hash is made anew.

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

from services.user import domain, turns

Result = TypeVar("Result")

# How many work at once: people who sign in, who register, and who change their password. None takes another's turn.
LOGINS, REGISTRATIONS, CHANGES = 2, 1, 1
# And how many wait for each of those: with some 20 ms a hash, and other things to do, the last of them about a second.
WAITING_A_WORKER = 24
# RFC 9106 and OWASP: 19 MiB, two passes, one lane.
HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=argon2.Type.ID)

BCRYPT = ("$2a$", "$2b$", "$2y$")
BCRYPT_BYTES = 72


class Passwords:
    """Hashes and compares, for whoever has a turn."""

    def __init__(self, hasher: argon2.PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        threads = LOGINS + REGISTRATIONS + CHANGES
        self._threads = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self.logins = turns.Turns(LOGINS, LOGINS * WAITING_A_WORKER)
        self.registrations = turns.Turns(REGISTRATIONS, REGISTRATIONS * WAITING_A_WORKER)
        self.changes = turns.Turns(CHANGES, CHANGES * WAITING_A_WORKER)
        # What nobody's password is compared with: made like every other hash, so that it takes as long.
        self._nobodys = hasher.hash("nobody has this password")

    async def start(self) -> None:
        """Nothing: threads start when they are needed."""

    async def stop(self) -> None:
        """End the threads; what waits is dropped."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash of a password, with a salt and the parameters in it."""
        return await self._in_thread(lambda: self._hasher.hash(domain.opaque(password)))

    async def compare(self, password: str, hashed: str | None) -> domain.Match:
        """Whether this password made the hash. Without a hash (there is no such account) it did not, as late as ever."""
        match = await self._in_thread(lambda: self._compared(password, hashed or self._nobodys))
        return match if hashed is not None else domain.Match.NONE

    def outdated(self, hashed: str) -> bool:
        """Whether the hash was made in another way, or with other parameters, than today."""
        return hashed.startswith(BCRYPT) or self._hasher.check_needs_rehash(hashed)

    def _compared(self, password: str, hashed: str) -> domain.Match:
        usual = domain.opaque(password)
        if self._verify(usual, hashed):
            return domain.Match.YES
        if usual != password and self._verify(password, hashed):
            return domain.Match.AS_TYPED
        return domain.Match.NONE

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            if hashed.startswith(BCRYPT):
                return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], hashed.encode())
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            return False

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
