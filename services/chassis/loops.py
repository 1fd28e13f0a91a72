"""Loops: work that a process does over and over beside its calls, woken when there is some, polling when nobody wakes it.

The relay, the effects and the timers are all loops. A loop outlives every outage: it backs off and says so in the log.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.chassis import errors, tasks

_LOG = logging.getLogger(__name__)

# A batch of fewer items than this is small: a loop with `gather_s` pauses after it, so that the next batch grows.
FEW = 100

# Such a pause grows to this at the most, in seconds; one that is set to more stays as it is set.
GATHER_MOST_S = 0.25

# After an error: seconds to wait at first and at most, doubled each time, with full jitter.
BACKOFF_FIRST_S = 0.1
BACKOFF_MOST_S = 5.0


def backoff(failures: int, *, first: float = BACKOFF_FIRST_S, most: float = BACKOFF_MOST_S) -> float:
    """Seconds to wait after so many failures in a row: exponential with full jitter, at least a tenth of the bound."""
    bound = min(most, first * float(2 ** min(failures - 1, 16)))
    return bound * random.uniform(0.1, 1.0)  # noqa: S311 - jitter is no secret


def gathering(gather_s: float, took_s: float) -> float:
    """How long to pause after a small batch that took so long, in seconds: gather_s, and as long again where it took longer.

    A batch costs the most for being one. Where the machine is idle it takes milliseconds, and nobody waits any longer than
    gather_s; where it is busy batches take longer, and half as many of them make room. 0 stays 0: no gathering is wanted.
    """
    return max(gather_s, min(took_s, GATHER_MOST_S)) if gather_s else 0.0


# One iteration of a loop: returns how many items it processed. And what the loop does once when it stops.
Work = Callable[[], Awaitable[int]]
Leave = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """The timing of a loop, in seconds.

    idle_s is how long it sleeps when there was nothing to do; that grows to idle_most_s. gather_s is how long it pauses
    after a small batch, at the least (see `gathering`): what comes meanwhile is done together.
    """

    idle_s: float
    idle_most_s: float = 0.0
    gather_s: float = 0.0


class Loop:
    """Calls `work` until stopped. It answers how much it did: after nothing the loop sleeps until woken or idle."""

    def __init__(self, name: str, work: Work, pace: Pace | Callable[[], Pace], *, leave: Leave | None = None) -> None:
        self._name = name
        self._work = work
        self._leave = leave
        self._paced: Callable[[], Pace] = (lambda: pace) if isinstance(pace, Pace) else pace
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be work: do not sleep any longer. For callers on the loop's own event loop."""
        self._woken.set()

    async def start(self) -> None:
        """Begin."""
        self._task = tasks.spawn(self._run(), name=self._name)

    async def stop(self) -> None:
        """Finish the work under way and end."""
        self._stopping = True
        self._woken.set()
        if self._task:
            await self._task
        if self._leave:
            await self._leave()

    async def _run(self) -> None:
        failures = 0
        idle = self._paced().idle_s
        while not self._stopping:
            self._woken.clear()
            started = time.monotonic()
            try:
                done = await self._work()
            except errors.TransientError as error:
                failures += 1
                _LOG.warning("loop backs off", extra={"loop": self._name, "failures": failures, "cause": str(error)})
                await self._sleep(backoff(failures))
                continue
            except Exception:
                # A defect must not end the loop: the rows it would have worked on stay, and the log tells.
                failures += 1
                _LOG.exception("loop failed", extra={"loop": self._name, "failures": failures})
                await self._sleep(backoff(failures))
                continue
            failures = 0
            pace = self._paced()
            idle = pace.idle_s if done else min(idle * 1.5, max(pace.idle_s, pace.idle_most_s))
            if not done:
                await self._sleep(idle)
            elif done < FEW and not self._stopping:
                await asyncio.sleep(gathering(pace.gather_s, time.monotonic() - started))

    async def _sleep(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
