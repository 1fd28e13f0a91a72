"""The deadline of the call that is being served: what is left of it is all that the calls it makes may take."""

import asyncio
import contextlib
import contextvars
from collections.abc import Iterator

# On the clock of the event loop. None: nobody waits, or what works here serves many callers.
_ends: contextvars.ContextVar[float | None] = contextvars.ContextVar("deadline", default=None)


def begin(seconds: float) -> None:
    """The call that this task serves has so many seconds from now on."""
    _ends.set(asyncio.get_running_loop().time() + seconds)


def left() -> float | None:
    """How many seconds are left, none or less when it expired; None without a deadline."""
    ends = _ends.get()
    return None if ends is None else ends - asyncio.get_running_loop().time()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done inside has so many seconds from now on at most, or what is left of the call that is being served."""
    rest = left()
    before = _ends.set(asyncio.get_running_loop().time() + (seconds if rest is None else min(seconds, rest)))
    try:
        yield
    finally:
        _ends.reset(before)
