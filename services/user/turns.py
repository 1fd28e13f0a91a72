"""Turns: who may have a password hashed next, when more want to than the machine can do.

A hash takes some 20 ms of CPU, so a few hundred calls at once, right or wrong, keep everybody waiting. So few may wait that
nobody waits long; the others are refused before anything is done for them, and told when to come back. Who waits is chosen
by how much others of the same address and the same account ask for already: whoever asks for little goes first, and when
there are too many the greediest is refused, also when it was there before. Who signed in from an address before, with the
right password, goes before all that have not: many people share an address with somebody who guesses.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cachetools import TTLCache

from services.chassis import errors

# Those that proved who they are: so many pairs of address and account, for so long (in seconds).
PROVEN, PROVEN_S = 20_000, 7 * 86_400
# When those who wait now have had their turns, on a machine that has something else to do too; in seconds.
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as one can tell: from which address (empty when the edge does not say), for which account."""

    address: str
    account: str


@dataclass(slots=True, order=True)
class _Waiting:
    rank: int
    number: int
    turn: "asyncio.Future[None]"


class Turns:
    """Lets `at_once` work, and as many wait as `waiting` says."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._most = waiting
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._proven: TTLCache[Asker, bool] = TTLCache(PROVEN, PROVEN_S)

    @asynccontextmanager
    async def turn(self, asker: Asker) -> AsyncIterator[None]:
        """Work within it. Raises OVERLOADED, at once, or when others turn up who ask for less."""
        rank = self._rank(asker)
        keys = [("address", asker.address), ("account", asker.account)]
        self._asked.update(keys)
        try:
            await self._wait(rank)
            try:
                yield
            finally:
                self._free += 1
                self._next()
        finally:
            for key in keys:
                self._asked[key] -= 1
                if not self._asked[key]:
                    del self._asked[key]

    def proved(self, asker: Asker, *, right: bool) -> None:
        """Somebody signed in, or what they sent was wrong."""
        if right:
            self._proven[asker] = True
        else:
            self._proven.pop(asker, None)

    def proven(self, asker: Asker) -> bool:
        """Whether this one signed in from there lately, and has sent nothing wrong since, as far as this process knows."""
        return bool(asker.address) and asker in self._proven

    def _rank(self, asker: Asker) -> int:
        if asker in self._proven:
            return self._asked["account", asker.account] - self._most
        return self._asked["address", asker.address] + self._asked["account", asker.account]

    async def _wait(self, rank: int) -> None:
        if self._free:
            self._free -= 1
            return
        mine = _Waiting(rank, next(self._numbers), asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if len(self._waiting) > self._most:
            greediest = max(self._waiting)
            self._waiting.remove(greediest)
            greediest.turn.set_exception(_overloaded())
        try:
            await mine.turn
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif mine.turn.done() and not mine.turn.cancelled() and not mine.turn.exception():
                # It was given a turn at the moment it gave up.
                self._free += 1
                self._next()
            raise

    def _next(self) -> None:
        while self._free and self._waiting:
            first = min(self._waiting)
            self._waiting.remove(first)
            if not first.turn.done():
                self._free -= 1
                first.turn.set_result(None)


def _overloaded() -> errors.DomainError:
    said = "too many password checks are waiting; retry after a while"
    return errors.DomainError(errors.Code.RESOURCE_EXHAUSTED, "OVERLOADED", said, retry_after_s=RETRY_S)
