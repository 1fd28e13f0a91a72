"""An answer of another service that is remembered, and asked for again beside those who use it."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis import errors, tasks

_LOG = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose answer it is, for the log; for how many seconds it holds; and the clock, in seconds."""

    whose: str
    age_s: float
    clock: Callable[[], float]


class Remembered(Generic[Answer]):
    """One answer, remembered for age_s seconds, and for as long as nobody answers.

    One that is older is asked for again beside the calls that still use it; they wait for a new one only when the last is older
    than twice age_s, as after a quiet spell. So what changes is known at most that long afterwards, while there are answers.
    """

    def __init__(self, ask: Callable[[], Awaitable[Answer]], terms: Terms) -> None:
        self._ask = ask
        self._terms = terms
        self._answers: list[Answer] = []
        self._answered = self._failed = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def get(self) -> Answer:
        """The answer. Raises TransientError when nobody ever answered."""
        if not self._answers:
            try:
                return await self._ask_now()
            except errors.DomainError as error:
                raise errors.TransientError(f"{self._terms.whose}: {error}") from error
        now, age_s = self._terms.clock(), self._terms.age_s
        old = now - self._answered
        if old > age_s and now - self._failed > age_s:
            if self._asking is None or self._asking.done():
                self._asking = tasks.spawn(self._ask_again(), name=f"remembered-{self._terms.whose}")
            if old > 2 * age_s:
                # Others wait for the same answer: a call that stops waiting does not stop it.
                await asyncio.shield(self._asking)
        return self._answers[0]

    async def _ask_again(self) -> None:
        try:
            await self._ask_now()
        except (errors.TransientError, errors.DomainError, TimeoutError) as error:
            self._failed = self._terms.clock()
            extra = {"whose": self._terms.whose, "cause": str(error)}
            _LOG.warning("nobody answers: the last answer is used", extra=extra)

    async def _ask_now(self) -> Answer:
        answer = await self._ask()
        self._answers = [answer]
        self._answered = self._terms.clock()
        return answer
