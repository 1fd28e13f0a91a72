"""The provider: its HTTP API behind a circuit breaker. Answers are domain values; what is not an answer is unknown.

Five failures in a row and the provider is left alone for a while, then tried with one call. A definite no is an answer, not a
failure. Each call carries the payment's own key, so that the provider does once what it is asked twice.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.messages.base import Event as BreakerEvent
from purgatory.domain.model import CLOSED, OPENED, OpenedState
from purgatory.service._async.circuitbreaker import (
    AsyncCircuitBreaker,
)  # its type: the package makes it, but keeps its name
from yarl import URL

from services.payment import domain
from services.payment.settings import Settings

_LOG = logging.getLogger(__name__)

# What the provider says of a charge whose verb is done.
DONE: Mapping[domain.Verb, frozenset[str]] = {
    domain.Verb.CAPTURE: frozenset({"captured", "partially_refunded", "refunded"}),
    domain.Verb.VOID: frozenset({"voided"}),
    domain.Verb.REFUND: frozenset({"refunded"}),
}
# Nothing was done, and the same request will never be: malformed, refused, not to be processed.
DEFINITE_NO = frozenset({400, 402, 422})
# The charge is not in the state that the request needs.
CONFLICT = 409
# Idle connections are closed before the provider's own side does, so that no call is sent into a closing one, in seconds.
KEEPALIVE_S = 30.0


class NoAnswerError(Exception):
    """The provider did not answer, or not so that it binds it: whether it did what it was asked is unknown."""


@dataclass(frozen=True, slots=True)
class _Started:
    """What exists only while the process runs: connections, and the breaker in front of them."""

    session: aiohttp.ClientSession
    breaker: AsyncCircuitBreaker


class Provider:
    """The provider over HTTP. A part of the process: it keeps connections open from start to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._charges = URL(settings.provider_url) / "v1" / "charges"
        self._started: _Started | None = None

    async def start(self) -> None:
        """Get ready to call; nothing is connected yet."""
        factory = AsyncCircuitBreakerFactory(self._settings.breaker_failures, self._settings.breaker_reset_s)
        factory.add_listener(_log_change)
        breaker = await factory.get_breaker("provider")
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._settings.provider_calls, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=self._settings.provider_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._started = _Started(session, breaker)

    async def stop(self) -> None:
        """Close all connections."""
        if self._started:
            await self._started.session.close()

    def room(self, most: int) -> int:
        """How many of `most` calls may be made now: none while the provider is left alone, one to try it again."""
        context = self._running.breaker.context
        if context.state == CLOSED:
            return most
        opened_at = context.opened_at or 0.0
        return int(context.state == OPENED and time.time() > opened_at + context.ttl)

    async def call(self, payment: domain.Payment, *, repeated: bool) -> domain.Answer | domain.Silence:
        """Do what the payment's state asks for. A repeated call asks first what became of the earlier ones. Raises nothing."""
        try:
            async with self._running.breaker:
                try:
                    return await self._asked_or_done(payment, repeated=repeated)
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                    raise NoAnswerError(repr(error)) from error
        except OpenedState:
            return domain.Silence.NOT_ASKED
        except NoAnswerError as error:
            extra = {"payment_id": payment.id, "verb": payment.verb, "cause": str(error)}
            _LOG.warning("provider did not answer", extra=extra)
            return domain.Silence.UNKNOWN

    @property
    def _running(self) -> _Started:
        if self._started is None:
            raise RuntimeError("the provider's client was not started")
        return self._started

    async def _asked_or_done(self, payment: domain.Payment, *, repeated: bool) -> domain.Answer:
        known = await self._ask(payment) if repeated else None
        return known or await self._do(payment)

    async def _ask(self, payment: domain.Payment) -> domain.Answer | None:
        """The definite answer, if what the payment's state asks for happened already."""
        if payment.verb is domain.Verb.AUTHORIZE:
            status, body = await self._get(self._charges.with_query(idempotency_key=_key(payment)))
            if status == 404:
                return None
            declined = body.get("status") == "declined"
            return _no(body) if declined else _yes(body)
        status, body = await self._get(self._charges / payment.provider_reference)
        return _yes(body) if payment.verb and body["status"] in DONE[payment.verb] else None

    async def _do(self, payment: domain.Payment) -> domain.Answer:
        if payment.verb is domain.Verb.AUTHORIZE:
            status, body = await self._post(self._charges, _key(payment), _charge(payment))
        else:
            url = self._charges / payment.provider_reference / str(payment.verb)
            status, body = await self._post(url, _key(payment), _change(payment))
        if status == 200:
            return _yes(body)
        if status in DEFINITE_NO:
            return _no(body)
        if status == CONFLICT and payment.verb is not domain.Verb.AUTHORIZE:
            # The charge is not where we thought it was: where it is now decides.
            return await self._ask(payment) or _no(body)
        raise NoAnswerError(f"status {status}: {body}")

    async def _post(self, url: URL, key: str, content: Mapping[str, Any]) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return await self._exchange("POST", url, headers=headers, data=json.dumps(content).encode())

    async def _get(self, url: URL) -> tuple[int, Any]:
        status, body = await self._exchange("GET", url)
        if status not in (200, 404):
            raise NoAnswerError(f"status {status}: {body}")
        return status, body

    async def _exchange(self, method: str, url: URL, **options: Any) -> tuple[int, Any]:
        async with self._running.session.request(method, url, **options) as response:
            return response.status, json.loads(await response.read())


def _key(payment: domain.Payment) -> str:
    """The idempotency key: the same for every attempt at this verb of this payment, whichever process makes it."""
    return f"{payment.id}:{payment.verb}"


def _charge(payment: domain.Payment) -> dict[str, Any]:
    return {
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "payment_method": payment.payment_method,
        "reference": payment.order_id,
    }


def _change(payment: domain.Payment) -> dict[str, Any]:
    match payment.verb:
        case domain.Verb.CAPTURE:
            return {"amount": payment.amount.amount}
        case domain.Verb.REFUND:
            return {"amount": payment.captured}
        case _:
            return {}


def _yes(body: Mapping[str, Any]) -> domain.Answer:
    try:
        return domain.Answer(domain.Input.YES, reference=str(body["id"]))
    except KeyError as error:
        raise NoAnswerError(f"not a charge: {body}") from error


def _no(body: Mapping[str, Any]) -> domain.Answer:
    code = body.get("error", {}).get("code", "refused")
    return domain.Answer(domain.Input.NO, reason=str(code).upper())


def _log_change(circuit: str, kind: str, event: BreakerEvent) -> None:
    if kind == "state_changed":
        _LOG.warning("breaker changed", extra={"circuit": circuit, "change": repr(event)})
