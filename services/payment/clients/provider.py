"""Providers: the HTTP API of the simulator's kind, or Stripe by its own library, behind a circuit breaker.

Answers are domain values; a call without a definite answer has an unknown outcome. After five consecutive failures the
breaker opens for a while, then lets one call through (half-open). A decline is an answer, not a failure. Each call carries an
idempotency key made from the payment, so that a repeated call has no second effect, also after the database was restored.
Providers forget keys, usually after a day: before that, a call whose outcome is still unknown is no longer sent, only looked
up.
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import aiohttp
import stripe

from services.chassis import breaker, errors
from services.payment import domain
from services.payment.clients import answers, charges, stripe_intents
from services.payment.domain import reconciling
from services.payment.settings import ProviderKind, Settings

_LOG = logging.getLogger(__name__)

# What a call raises that got no answer, or one that makes no sense (Stripe's objects have no attribute that was not sent).
NOT_AN_ANSWER = (aiohttp.ClientError, stripe.StripeError, TimeoutError, OSError, ValueError, AttributeError)
# Why an authorisation is declined that was never answered and that the provider does not know.
NEVER_ARRIVED = "PROVIDER_NEVER_RECEIVED"
# Idle connections are closed before the provider's own side does, so that no call is sent into a closing one, in seconds.
KEEPALIVE_S = 30.0


@dataclass(frozen=True, slots=True)
class _Started:
    """What exists only while the process runs: connections, and the breaker in front of them."""

    session: aiohttp.ClientSession
    breaker: breaker.Breaker
    api: answers.Api


class Provider:
    """The provider that the settings name. A part of the process: it keeps connections open from start to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started: _Started | None = None

    async def start(self) -> None:
        """Get ready to call; nothing is connected yet."""
        circuit = await breaker.made(
            "provider", failures=self._settings.breaker_failures, reset_s=self._settings.breaker_reset_s
        )
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._settings.provider_calls, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=self._settings.provider_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._started = _Started(session, circuit, _api(self._settings, session))

    async def stop(self) -> None:
        """Close all connections."""
        if self._started:
            await self._started.session.close()

    def room(self, most: int) -> int:
        """How many of `most` calls may be made now: none while the breaker is open, one to try the provider again."""
        return self._running.breaker.room(most)

    async def call(self, payment: domain.Payment, *, repeated: bool, age_s: float = 0.0) -> domain.Outcome:
        """Do what the payment's state asks for. Raises nothing.

        A repeated call first looks up the outcome of the earlier attempts, the first of which was made age_s seconds ago.
        """
        try:
            async with self._running.breaker:
                try:
                    return await self._outcome(payment, repeated=repeated, age_s=age_s)
                except NOT_AN_ANSWER as error:
                    if isinstance(error, stripe.AuthenticationError):
                        self._settings.stripe_api_key.refused(str(error))
                    raise answers.NoAnswerError(repr(error)) from error
        except breaker.OpenError:
            return domain.Silence.NOT_ASKED
        except answers.NoAnswerError as error:
            extra = {"payment_id": payment.id, "verb": payment.verb, "cause": str(error)}
            _LOG.warning("provider did not answer", extra=extra)
            return domain.Silence.UNKNOWN

    async def statement(self, since: datetime) -> AsyncIterator[list[reconciling.Charge]]:
        """All charges that were made since then, a page at a time. Raises TransientError when the provider is away."""
        try:
            async for page in self._running.api.statement(since):
                yield page
        except (*NOT_AN_ANSWER, answers.NoAnswerError) as error:
            raise errors.TransientError(f"provider: {error!r}") from error

    @property
    def _running(self) -> _Started:
        if self._started is None:
            raise RuntimeError("the provider's client was not started")
        return self._started

    async def _outcome(self, payment: domain.Payment, *, repeated: bool, age_s: float) -> domain.Outcome:
        if payment.verb is domain.Verb.CONFIRM:
            return await self._running.api.confirmed(payment)
        api, may_send = self._running.api, self._may_send(payment, repeated=repeated, age_s=age_s)
        # A confirmed order was authorized once, maybe under another key: the provider is asked before anything is sent.
        granted = payment.state is domain.State.AUTHORIZING_CONFIRMED
        if (granted or not may_send) and (found := await api.find(payment)):
            return found
        if may_send:
            return (repeated and await api.ask(payment)) or await api.do(payment)
        if payment.verb is not domain.Verb.AUTHORIZE:
            return domain.Silence.TOO_OLD
        if age_s < self._settings.provider_repeat_s + self._settings.provider_lookup_lag_s:
            return domain.Silence.UNKNOWN
        return domain.Answer(domain.Input.NO, reason=NEVER_ARRIVED)

    def _may_send(self, payment: domain.Payment, *, repeated: bool, age_s: float) -> bool:
        """Whether the call may be sent: it is the first, or the provider would know it again."""
        known = age_s < self._settings.provider_repeat_s
        if payment.verb is domain.Verb.AUTHORIZE:
            # The first may be a repetition too: a restored database does not know of the earlier ones.
            return known and bool(payment.payment_method)
        # Voiding is idempotent by itself, with or without a key.
        return known or not repeated or payment.verb is domain.Verb.VOID


def _api(settings: Settings, session: aiohttp.ClientSession) -> answers.Api:
    if settings.provider is ProviderKind.STRIPE:
        return stripe_intents.Intents(settings, session)
    return charges.Charges(settings, session)
