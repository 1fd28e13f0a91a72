"""Effects outside: calls to systems beyond our transactions (a provider, a mail server), made from rows that say so.

A handler never calls out. It records the intent in its transaction; this worker claims such rows by lease, calls out
concurrently with the row's own key, and settles the outcomes, with their events, in one transaction. The attempt is
counted at the claim, so that a call that kills the process counts. A row whose outcome is unknown is simply claimed again.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.chassis import database, errors, loops, metrics, tasks

_LOG = logging.getLogger(__name__)

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")


class Effect(Protocol[Work, Outcome]):
    """One kind of call outside, as its service defines it."""

    async def claim(self, transaction: database.Transaction, most: int) -> Sequence[Work]:
        """Lease up to `most` rows that are due (FOR UPDATE SKIP LOCKED), counting the attempt."""

    async def perform(self, work: Work) -> Outcome:
        """Call out. Every answer is an outcome, the unknown one too. May raise nothing else than a defect does."""

    async def settle(self, transaction: database.Transaction, outcomes: Sequence[tuple[Work, Outcome]]) -> bool:
        """Write the outcomes where the lease is still ours (compare the epoch or the attempt), and emit their events.

        Answers whether rows are due at once because of it.
        """


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many calls run at once, and how long finished ones gather before they are settled together.

    pause_s is how long a small claim waits for the next one to grow. Seconds; both grow with what a batch takes, as
    `loops.gathering` says.
    """

    concurrent: int = 128
    gather_s: float = 0.005
    pause_s: float = 0.03
    idle_s: float = 0.25
    idle_most_s: float = 1.0


class Worker(Generic[Work, Outcome]):
    """Claims, performs and settles one kind of effect. Call `wake` when rows were written."""

    def __init__(self, db: database.Database, effect: Effect[Work, Outcome], limits: Concurrency, *, name: str) -> None:
        self._db = db
        self._effect = effect
        self._limits = limits
        self._name = name
        # Claims wait until a quarter of the slots is free: a claim for each finished call would cost more than the call.
        self._refill = max(1, limits.concurrent // 4)
        self._full = False
        self._running: set[asyncio.Task[None]] = set()
        self._finished: list[tuple[Work, Outcome]] = []
        self._took_s = 0.0
        pace = loops.Pace(limits.idle_s, limits.idle_most_s, gather_s=limits.pause_s)
        self._claims = loops.Loop(f"{name}-claim", self._claim, pace)
        self._settles = loops.Loop(f"{name}-settle", self._settle, loops.Pace(limits.idle_most_s))

    def wake(self) -> None:
        """Rows may be due: claim now."""
        self._claims.wake()

    async def start(self) -> None:
        """Begin."""
        await self._settles.start()
        await self._claims.start()

    async def stop(self) -> None:
        """Claim no more, let the calls under way end, settle them."""
        await self._claims.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        await self._settles.stop()
        await self._settle()

    async def _claim(self) -> int:
        free = self._limits.concurrent - len(self._running)
        self._full = free < self._refill
        if self._full:
            return 0
        async with self._db.transaction() as transaction:
            claimed = await self._effect.claim(transaction, free)
        for work in claimed:
            task = tasks.spawn(self._perform(work), name=self._name)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(claimed)

    async def _perform(self, work: Work) -> None:
        try:
            outcome = await self._effect.perform(work)
        except Exception:
            # The row stays leased and is claimed again when the lease expires, like one with an unknown outcome.
            _LOG.exception("effect failed", extra={"effect": self._name})
            return
        self._finished.append((work, outcome))
        self._settles.wake()
        self._running.discard(asyncio.current_task())
        if self._full and self._limits.concurrent - len(self._running) >= self._refill:
            self._claims.wake()

    async def _settle(self) -> int:
        if not self._finished:
            return 0
        if self._running:
            await asyncio.sleep(loops.gathering(self._limits.gather_s, self._took_s))
        started = time.monotonic()
        batch, self._finished = self._finished, []
        left = batch
        try:
            try:
                await self._write(batch)
            except errors.TransientError:
                raise
            except Exception:
                # One of the rows causes it: each is written alone, and the one that fails stays leased and is claimed again.
                _LOG.exception("outcomes failed together", extra={"effect": self._name, "outcomes": len(batch)})
                while left:
                    await self._write_alone(left[0])
                    left = left[1:]
        except errors.TransientError:
            self._finished = left + self._finished
            raise
        self._took_s = time.monotonic() - started
        return len(batch)

    async def _write(self, batch: Sequence[tuple[Work, Outcome]]) -> None:
        async with self._db.transaction() as transaction:
            more = await self._effect.settle(transaction, batch)
        if more:
            self._claims.wake()

    async def _write_alone(self, item: tuple[Work, Outcome]) -> None:
        try:
            await self._write([item])
        except errors.TransientError:
            raise
        except Exception:
            metrics.ALARMS.labels(self._name, "outcome_not_written").inc()
            _LOG.exception("outcome cannot be written", extra={"effect": self._name, "work": repr(item[0])[:200]})
