"""Streams and the end of their server: a stream may last as long as its caller likes, so a drain does not wait for it.

It ends with UNAVAILABLE and SERVER_DRAINING, whose metadata says where to go on: a request field `after_<field>`, as far as
the method has one, with the value of `<field>` in the last message that was sent.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from google.protobuf.message import Message

from services.chassis import errors

# All callers of a server are sent away at the same moment: they come back spread over this time, in seconds.
SOONEST_S, LATEST_S = 0.1, 1.0
# A stream whose caller does not read what it was sent is cut off after so many seconds.
UNREAD_S = 1.0
_AFTER = "after_"


class Streams:
    """The open streams of a server."""

    def __init__(self) -> None:
        self._draining = False
        self._waiting: set[asyncio.Timeout] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def drain(self) -> None:
        """End all streams now, and each that begins later."""
        self._draining = True
        loop = asyncio.get_running_loop()
        for wait in self._waiting:
            wait.reschedule(loop.time())
        loop.call_later(UNREAD_S, self._cut_off)

    async def until_drained(self, messages: AsyncIterator[Any], request: Message) -> AsyncGenerator[Any]:
        """The messages, until there are no more. Raises SERVER_DRAINING when the server is drained before."""
        task = asyncio.current_task()
        assert task  # noqa: S101 - a generator runs in one
        self._tasks.add(task)
        last: Message | None = None
        try:
            while (message := await self._next(messages)) is not None:
                last = message
                yield message
        except _DrainedError:
            raise _moved_on(_resume_at(request, last)) from None
        finally:
            self._tasks.discard(task)

    async def _next(self, messages: AsyncIterator[Any]) -> Any:
        if self._draining:
            raise _DrainedError
        wait = asyncio.timeout(None)
        try:
            async with wait:
                self._waiting.add(wait)
                return await anext(messages, None)
        except TimeoutError:
            if wait.expired():
                raise _DrainedError from None
            raise
        finally:
            self._waiting.discard(wait)

    def _cut_off(self) -> None:
        for task in self._tasks:
            task.cancel()


class _DrainedError(Exception):
    """The server is drained."""


def _resume_at(request: Message, last: Message | None) -> dict[str, str]:
    """The `after_` fields of the request that asks for what this stream did not send."""
    names = [name for name in request.DESCRIPTOR.fields_by_name if name.startswith(_AFTER)]
    source, cut = (request, 0) if last is None else (last, len(_AFTER))
    return {name: str(getattr(source, name[cut:])) for name in names}


def _moved_on(metadata: dict[str, str]) -> errors.DomainError:
    pause = random.uniform(SOONEST_S, LATEST_S)  # noqa: S311 - jitter is no secret
    said = "this server is shutting down: call again to go on with the stream"
    return errors.DomainError(errors.Kind.UNAVAILABLE, "SERVER_DRAINING", said, metadata, retry_after_s=pause)
