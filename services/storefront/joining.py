"""Joining the parts of a page: asked for at once, under one deadline. What does not come in time is left out, and named.

    async with joining.page(0.8) as parts:
        stock = parts.ask("stock", inventory.stock, skus)
        product = await parts.need(catalog.product, product_id)
    stock.answer, parts.missing

Without what a page needs there is no page: the call fails by its error, and what else was asked for is cancelled.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, ParamSpec, TypeVar

from services.chassis import errors, tasks
from services.chassis.rpc import deadline
from services.storefront import domain

_LOG = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Asked = ParamSpec("Asked")

# What putting a page together takes, in seconds: its parts are awaited so much shorter than its caller waits.
RENDER_S = 0.03


class Part(Generic[Answer]):
    """A part that was asked for. Once the page is complete, it has an answer, or a reason why not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answer: Answer | None = None
        self.reason: domain.Reason | None = None

    async def fetch(self, answer: Callable[[], Awaitable[Answer]]) -> None:
        """Await it until the deadline. Raises nothing: whatever goes wrong, the page is shown."""
        try:
            self.answer = await _in_time(answer)
        except Exception as error:  # noqa: BLE001 - also a defect costs the part, not the page
            self.reason = domain.reason(error)
            _log(self.name, self.reason, error)


class Parts:
    """The parts of one page."""

    def __init__(self, group: tasks.Group) -> None:
        self._group = group
        self._asked: list[Part[object]] = []

    @property
    def missing(self) -> Sequence[domain.Missing]:
        """What is left out, in the order in which it was asked for."""
        return [domain.Missing(part.name, part.reason) for part in self._asked if part.reason]

    def ask(
        self, name: str, of: Callable[Asked, Awaitable[Answer]], *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Part[Answer]:
        """Ask for a part that the page can be shown without."""
        part: Part[Answer] = Part(name)
        self._asked.append(part)  # type: ignore[arg-type]  # nobody puts another answer into it from here
        # A function, not a coroutine: one that is cancelled before it begins would complain that it was never awaited.
        self._group.begin(part.fetch(lambda: of(*args, **kwargs)), name=f"part-{name}")
        return part

    async def need(self, of: Callable[Asked, Awaitable[Answer]], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        """What there is no page without. Raises what asking for it raises, or TimeoutError."""
        return await _in_time(lambda: of(*args, **kwargs))


@contextlib.asynccontextmanager
async def page(seconds: float) -> AsyncIterator[Parts]:
    """The parts of a page that may take so many seconds, or what is left of the call that is being served.

    When it ends, nothing that was asked for is under way any more.
    """
    left = deadline.left()
    with deadline.within(seconds if left is None else min(seconds, left - RENDER_S)):
        async with tasks.group() as group:
            yield Parts(group)


async def _in_time(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    async with asyncio.timeout(deadline.left()):
        return await ask()


def _log(part: str, reason: domain.Reason, error: Exception) -> None:
    extra = {"part": part, "reason": reason.value, "cause": repr(error)}
    expected = isinstance(error, TimeoutError | errors.TransientError | errors.DomainError)
    _LOG.warning("a page is shown without a part", extra=extra, exc_info=None if expected else error)
