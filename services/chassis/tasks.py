"""Tasks: those that serve many callers, or outlive whoever starts them, and those of one caller.

A task inherits the context of its creator: the identity of a caller, the ids in its log lines, the trace it is in. What works
for others too, or longer, would go on under the first caller's name: `spawn` gives it a fresh context. Only what ends before
its caller does keeps it: the tasks of a `group`. `asyncio.create_task` is for nobody else here.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def spawn(work: Coroutine[Any, Any, Result], *, name: str) -> asyncio.Task[Result]:
    """Run this as a task of its own. Whoever starts it keeps the reference: asyncio does not."""
    return asyncio.create_task(work, name=name, context=contextvars.Context())


class Group:
    """Tasks that work for one caller, in its name, deadline and trace."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def begin(self, work: Coroutine[Any, Any, Any], *, name: str) -> None:
        """Run this beside the others."""
        self._group.create_task(work, name=name)


@contextlib.asynccontextmanager
async def group() -> AsyncIterator[Group]:
    """Ends when all of its tasks have ended. The first error, of a task or of the block itself, cancels them and is raised."""
    try:
        async with asyncio.TaskGroup() as started:
            yield Group(started)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
