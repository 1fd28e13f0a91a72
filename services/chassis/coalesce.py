"""Coalescing: concurrent calls become one batch, so that a busy moment costs one transaction instead of many.

A lone call never waits: it is a batch of one at once. Calls that arrive while a batch is under way gather until it is
done (or a little longer, `window_s`) and form the next.

A batch belongs to none of its callers: it runs in a context of its own. `parents` tells the handler whose call each item
is, so that every event carries the trace of the call that caused it.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis import errors, tasks, tracing

Item = TypeVar("Item")
Result = TypeVar("Result")

# Answers a batch with one result, or one error, per item and in its order. An error that it raises fails them all.
HandleBatch = Callable[[Sequence[Item]], Awaitable[Sequence[Result | errors.DomainError]]]


@dataclass(frozen=True, slots=True)
class Batching:
    """How much may gather: `batch` items at most, for at most `window_s` seconds after a busy moment, in `lanes` at once."""

    batch: int = 128
    window_s: float = 0.01
    lanes: int = 1
    waiting: int = 5000


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    """A call that waits: its item, its answer to come, and the trace it is in."""

    item: Item
    answer: asyncio.Future[Result]
    parent: str


_parents: contextvars.ContextVar[Sequence[str]] = contextvars.ContextVar("parents_of_batch", default=())


def parents() -> Sequence[str]:
    """For a handler: the `traceparent` of the call of each item, in the batch's order; empty for a call outside a trace."""
    return _parents.get()


class Coalescer(Generic[Item, Result]):
    """Gathers concurrent calls into batches for `handle`."""

    def __init__(self, handle: HandleBatch[Item, Result], limits: Batching) -> None:
        self._handle = handle
        self._limits = limits
        self._waiting: list[_Waiting[Item, Result]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def call(self, item: Item) -> Result:
        """The result for this item. Raises what the batch said of it; a call in a failed batch is retried alone.

        Raises OVERLOADED, before anything is done, when too many calls are waiting already.
        """
        if len(self._waiting) >= self._limits.waiting:
            raise errors.overloaded()
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, answer, tracing.traceparent()))
        if len(self._running) < self._limits.lanes:
            self._start(wait=False)
        return await answer

    def _start(self, *, wait: bool) -> None:
        task = tasks.spawn(self._run(wait=wait), name="coalesce")
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
        batch = [call for call in batch if not call.answer.cancelled()]
        if not batch:
            return
        try:
            results = await self._together(batch)
        except errors.TransientError as error:
            # An outage is nobody's fault: asking again for each of them would only make it worse.
            for call in batch:
                _settle(call.answer, error)
            return
        except Exception as error:
            await self._apart(batch, error)
            return
        for call, result in zip(batch, results, strict=True):
            _settle(call.answer, result)

    async def _together(self, batch: Sequence[_Waiting[Item, Result]]) -> Sequence[Result | errors.DomainError]:
        """Hand these to the handler, in a span that is linked to all of their traces."""
        _parents.set([call.parent for call in batch])
        tracing.enter(batch[0].parent if len(batch) == 1 else "")
        with tracing.continued("batch", _parents.get()):
            return await self._handle([call.item for call in batch])

    async def _apart(self, batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
        """Give each call its own try, so that one bad item fails alone."""
        if len(batch) == 1:
            _settle(batch[0].answer, error)
            return
        for call in batch:
            try:
                [result] = await self._together([call])
            except Exception as own:
                _settle(call.answer, own)
            else:
                _settle(call.answer, result)


def _settle(answer: asyncio.Future[Result], result: Result | Exception) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
