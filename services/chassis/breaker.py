"""A circuit breaker in front of a system outside: after some failures in a row calls are refused for a while, then one is tried.

It is open while it refuses, half-open while one call is tried. The library is `purgatory`; only this module knows its insides.
"""

import logging
import time
from types import TracebackType
from typing import Self

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.messages.base import Event
from purgatory.domain.model import CLOSED, OPENED, OpenedState
from purgatory.service._async.circuitbreaker import (
    AsyncCircuitBreaker,  # keeps its name
)

_LOG = logging.getLogger(__name__)


class OpenError(Exception):
    """The breaker is open: nothing was called."""


class Breaker:
    """Counts what fails within `async with`, which raises OpenError while the breaker is open."""

    def __init__(self, circuit: AsyncCircuitBreaker) -> None:
        self._circuit = circuit

    def room(self, most: int) -> int:
        """How many of `most` calls may be made now: none while the breaker is open, one when it may be half-open."""
        context = self._circuit.context
        if context.state == CLOSED:
            return most
        opened_at = context.opened_at or 0.0
        return int(context.state == OPENED and time.time() > opened_at + context.ttl)

    async def __aenter__(self) -> Self:
        try:
            await self._circuit.__aenter__()
        except OpenedState as error:
            raise OpenError from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._circuit.__aexit__(kind, error, traceback)


async def made(name: str, *, failures: int, reset_s: float) -> Breaker:
    """A closed breaker, which opens after so many failures in a row, and may be half-open reset_s seconds later."""
    factory = AsyncCircuitBreakerFactory(failures, reset_s)
    factory.add_listener(_log_change)
    return Breaker(await factory.get_breaker(name))


def _log_change(circuit: str, kind: str, event: Event) -> None:
    if kind == "state_changed":
        _LOG.warning("breaker changed", extra={"circuit": circuit, "change": repr(event)})
