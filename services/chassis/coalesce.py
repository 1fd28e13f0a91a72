"""Coalescing: concurrent calls become one batch, so that a busy moment costs one transaction instead of many.

A lone call never waits: it is a batch of one at once. Calls that arrive while a batch is under way gather until it is
done (or a little longer, `window_s`) and form the next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis import errors

Item = TypeVar("Item")
Result = TypeVar("Result")

# Answers a batch with one result, or one error, per item and in its order. An error that it raises fails them all.
HandleBatch = Callable[[Sequence[Item]], Awaitable[Sequence[Result | errors.DomainError]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may gather: `batch` items at most, for at most `window_s` seconds after a busy moment, in `lanes` at once."""

    batch: int = 128
    window_s: float = 0.01
    lanes: int = 1
    waiting: int = 5000


class Coalescer(Generic[Item, Result]):
    """Gathers concurrent calls into batches for `handle`."""

    def __init__(self, handle: HandleBatch[Item, Result], limits: Limits) -> None:
        self._handle = handle
        self._limits = limits
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def call(self, item: Item) -> Result:
        """The result for this item. Raises what the batch said of it; a call in a failed batch is retried alone.

        Raises OVERLOADED when too many calls wait already.
        """
        if len(self._waiting) >= self._limits.waiting:
            raise errors.DomainError(
                errors.Kind.UNAVAILABLE, "OVERLOADED", "too many requests are waiting: retry later", retry_after_s=1
            )
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._running) < self._limits.lanes:
            self._start(wait=False)
        return await future

    def _start(self, *, wait: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._run(wait=wait))
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._waiting and len(self._running) < self._limits.lanes:
            self._start(wait=True)

    async def _run(self, *, wait: bool) -> None:
        if wait and len(self._waiting) < self._limits.batch:
            await asyncio.sleep(self._limits.window_s)
        batch, self._waiting = self._waiting[: self._limits.batch], self._waiting[self._limits.batch :]
        batch = [(item, future) for item, future in batch if not future.cancelled()]
        if not batch:
            return
        try:
            results = await self._handle([item for item, _ in batch])
        except errors.TransientError as error:
            # An outage is nobody's fault: asking again for each of them would only make it worse.
            for _, future in batch:
                _settle(future, error)
            return
        except Exception as error:
            await self._apart(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            _settle(future, result)

    async def _apart(self, batch: list[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
        """Give each call its own try, so that one bad item fails alone."""
        if len(batch) == 1:
            _settle(batch[0][1], error)
            return
        for item, future in batch:
            try:
                [result] = await self._handle([item])
            except Exception as own:
                _settle(future, own)
            else:
                _settle(future, result)


def _settle(future: asyncio.Future[Result], result: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
