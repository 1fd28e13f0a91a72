"""The carrier that the settings name, behind a circuit breaker.

Answers are domain values; a call about a label without a definite answer has an unknown outcome. After some failures in a row
the breaker opens for a while, then lets one call through. That a repeated purchase has no second effect is each interface's own
promise: `labels` has an idempotency key, `easypost` buys by an id that was written down before.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from services.chassis import breaker, errors
from services.shipping.clients import answers, easypost, labels
from services.shipping.domain import parcels
from services.shipping.settings import CarrierKind, Settings

_LOG = logging.getLogger(__name__)

# What a call raises that got no answer, or one that makes no sense.
NOT_AN_ANSWER = (answers.NoAnswerError, aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError)
# Idle connections are closed before the carrier's own side does, so that no call is sent into a closing one, in seconds.
KEEPALIVE_S = 30.0

Answer = TypeVar("Answer")
# What a parcel weighs, in grams. Raises TransientError.
Weigh = Callable[[parcels.Parcel], Awaitable[int]]


async def unweighed(_: parcels.Parcel) -> int:
    """Nothing: for carriers that weigh parcels themselves."""
    return 0


@dataclass(frozen=True, slots=True)
class _Started:
    """What exists only while the process runs: connections, and the breaker in front of them."""

    session: aiohttp.ClientSession
    breaker: breaker.Breaker
    api: answers.Api


class Carrier:
    """The carrier. A part of the process: it keeps connections open from start to stop. weigh: what a parcel weighs."""

    def __init__(self, settings: Settings, *, weigh: Weigh = unweighed) -> None:
        self._settings = settings
        self._weigh = weigh
        self._started: _Started | None = None

    async def start(self) -> None:
        """Get ready to call; nothing is connected yet."""
        chosen = self._settings
        circuit = await breaker.made("carrier", failures=chosen.breaker_failures, reset_s=chosen.breaker_reset_s)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=chosen.carrier_calls, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=chosen.carrier_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._started = _Started(session, circuit, _api(chosen, session))

    async def stop(self) -> None:
        """Close all connections."""
        if self._started:
            await self._started.session.close()

    def room(self, most: int) -> int:
        """How many of `most` calls may be made now: none while the breaker is open, one to try the carrier again."""
        return self._running.breaker.room(most)

    async def call(self, parcel: parcels.Parcel, *, ask_first: bool) -> parcels.Outcome:
        """Do what the parcel's state asks for, unless `ask_first` finds that it was done. Raises nothing."""
        api = self._running.api

        try:
            grams = await self._weigh(parcel)
        except errors.TransientError:
            return parcels.Silence.NOT_ASKED

        async def outcome() -> parcels.Happening:
            # A process that was stopped for longer than its lease does not go on to buy.
            async with asyncio.timeout(self._settings.lease_s):
                return (ask_first and await api.find(parcel)) or await api.do(parcel, grams=grams)

        try:
            return await self._answered(outcome)
        except breaker.OpenError:
            return parcels.Silence.NOT_ASKED
        except answers.NoAnswerError as error:
            extra = {"shipment_id": parcel.id, "verb": parcel.verb, "cause": str(error)}
            _LOG.warning("carrier did not answer", extra=extra)
            return parcels.Silence.UNKNOWN

    async def announce(self, references: Sequence[str]) -> None:
        """Tell the carrier that it was handed these labels' parcels. Raises TransientError."""
        api = self._running.api
        await self._sure(lambda: api.announce(references))

    async def scans(self, references: Sequence[str]) -> Mapping[str, Sequence[parcels.Scan]]:
        """What the carrier says of the ways of these labels' parcels so far, by label. Raises TransientError."""
        api = self._running.api
        return await self._sure(lambda: api.scans(references))

    @property
    def _running(self) -> _Started:
        if self._started is None:
            raise RuntimeError("the carrier's client was not started")
        return self._started

    async def _sure(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await self._answered(ask)
        except (breaker.OpenError, answers.NoAnswerError) as error:
            raise errors.TransientError(f"carrier: {error!r}") from error

    async def _answered(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Raises NoAnswerError, or OpenError when nothing was asked."""
        async with self._running.breaker:
            try:
                return await ask()
            except NOT_AN_ANSWER as error:
                raise answers.NoAnswerError(repr(error)) from error


def _api(chosen: Settings, session: aiohttp.ClientSession) -> answers.Api:
    if chosen.carrier is CarrierKind.EASYPOST:
        return easypost.EasyPost(chosen, session)
    return labels.Labels(chosen.carrier_url.current(), session)
