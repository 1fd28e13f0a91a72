"""Streams and what ends them early: the drain of their server, and their caller's token when it no longer counts.

A stream may last as long as its caller likes, so a drain does not wait for it, and the access rule that let it in is applied
again every CHECK_S. It ends with SERVER_DRAINING, or with the error that a new call would get. The metadata says where to
resume: a request field `after_<field>`, as far as the method has one, with the value of `<field>` in the last message sent.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message

from services.chassis import errors, loops

# Between two checks of the callers of all open streams, in seconds.
CHECK_S = 1.0
# All callers of a server are sent away at the same moment: they come back spread over this time, in seconds.
SOONEST_S, LATEST_S = 0.1, 1.0
# A stream whose caller does not read what it was sent is cut off after so many seconds.
UNREAD_S = 1.0
_AFTER = "after_"

# Lets a stream's caller in once more. Raises what a new call would get: DomainError, or TransientError for "not known".
Admit = Callable[[], Awaitable[object]]


class Streams:
    """The open streams of a server."""

    def __init__(self, service: str) -> None:
        self._draining = False
        self._open: set[_Stream] = set()
        self._loop = loops.Loop(f"{service}-streams", self.check, loops.Pace(CHECK_S))

    async def start(self) -> None:
        """Begin to check the callers of open streams, in the background."""
        await self._loop.start()

    async def stop(self) -> None:
        """Check them no more."""
        await self._loop.stop()

    def drain(self) -> None:
        """End all streams now, and each that begins later."""
        self._draining = True
        for stream in self._open:
            stream.end(_moved_on())

    async def check(self) -> int:
        """End the streams whose callers may no longer call. What cannot be checked now goes on until the next check."""
        for stream in list(self._open):
            try:
                await stream.admit()
            except errors.DomainError as error:
                stream.end(error)
            except errors.TransientError:
                continue
        return 0

    async def until_ended(self, messages: AsyncIterator[Any], request: Message, admit: Admit) -> AsyncGenerator[Any]:
        """The messages, until there are no more.

        Raises SERVER_DRAINING when the server is drained before, or what admit raises when it does.
        """
        stream = _Stream(admit)
        self._open.add(stream)
        if self._draining:
            stream.end(_moved_on())
        last: Message | None = None
        try:
            while (message := await stream.next(messages)) is not None:
                last = message
                yield message
        except _EndedError as ended:
            raise replace(ended.why, metadata={**ended.why.metadata, **_resume_at(request, last)}) from None
        finally:
            self._open.discard(stream)
            stream.close()


class _Stream:
    """One open stream, made by the task that serves it, and why it ends before its messages do."""

    def __init__(self, admit: Admit) -> None:
        task = asyncio.current_task()
        assert task  # noqa: S101 - a generator runs in one
        self.admit = admit
        self._task = task
        self._why: errors.DomainError | None = None
        self._wait: asyncio.Timeout | None = None
        self._cut_off: asyncio.TimerHandle | None = None

    def end(self, why: errors.DomainError) -> None:
        """End with this error: now, while the stream waits for a message, else when its caller has read the last one."""
        if self._why:
            return
        self._why = why
        loop = asyncio.get_running_loop()
        if self._wait:
            self._wait.reschedule(loop.time())
        self._cut_off = loop.call_later(UNREAD_S, self._task.cancel)

    def close(self) -> None:
        """The stream has ended: nothing is left to be cut off."""
        if self._cut_off:
            self._cut_off.cancel()

    async def next(self, messages: AsyncIterator[Any]) -> Any:
        """The next message, or None when there are no more. Raises _EndedError."""
        if self._why:
            raise _EndedError(self._why)
        wait = asyncio.timeout(None)
        try:
            async with wait:
                self._wait = wait
                return await anext(messages, None)
        except TimeoutError:
            if self._why and wait.expired():
                raise _EndedError(self._why) from None
            raise
        finally:
            self._wait = None


class _EndedError(Exception):
    """The stream was ended, for this reason."""

    def __init__(self, why: errors.DomainError) -> None:
        super().__init__(why)
        self.why = why


def _resume_at(request: Message, last: Message | None) -> dict[str, str]:
    """The `after_` fields of the request that asks for what this stream did not send."""
    names = [name for name in request.DESCRIPTOR.fields_by_name if name.startswith(_AFTER)]
    source, cut = (request, 0) if last is None else (last, len(_AFTER))
    return {name: str(getattr(source, name[cut:])) for name in names}


def _moved_on() -> errors.DomainError:
    pause = random.uniform(SOONEST_S, LATEST_S)  # noqa: S311 - jitter is no secret
    said = "this server is shutting down: call again to go on with the stream"
    return errors.DomainError(errors.Code.UNAVAILABLE, "SERVER_DRAINING", said, retry_after_s=pause)
