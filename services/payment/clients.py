"""Providers: the HTTP API of the simulator's kind, or Stripe by its own library, behind a circuit breaker.

Answers are domain values; what is not an answer is unknown. Five failures in a row and the provider is left alone for a
while, then tried with one call. A definite no is an answer, not a failure. Each call carries the payment's own key, so that
the provider does once what it is asked twice, also by somebody whose database was restored. A provider forgets keys, after a
day as a rule: before that time comes, what is still unknown is only looked for, never sent again.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import stripe
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.messages.base import Event as BreakerEvent
from purgatory.domain.model import CLOSED, OPENED, OpenedState
from purgatory.service._async.circuitbreaker import (
    AsyncCircuitBreaker,
)  # its type: the package makes it, but keeps its name
from yarl import URL

from services.payment import domain
from services.payment.settings import ProviderKind, Settings

_LOG = logging.getLogger(__name__)

# What the provider says of a charge whose verb is done.
DONE: Mapping[domain.Verb, frozenset[str]] = {
    domain.Verb.CAPTURE: frozenset({"captured", "partially_refunded", "refunded"}),
    domain.Verb.VOID: frozenset({"voided"}),
}
# The same of an intent at Stripe, and the states of one that was refused when it was made.
STRIPE_DONE: Mapping[domain.Verb, frozenset[str]] = {
    domain.Verb.AUTHORIZE: frozenset({"requires_capture", "succeeded"}),
    domain.Verb.CAPTURE: frozenset({"succeeded"}),
    domain.Verb.VOID: frozenset({"canceled"}),
}
# A refund that is none yet: the bank has it, or the customer has to say where the money shall go. And one that never will be.
STRIPE_REFUNDED = "succeeded"
STRIPE_REFUND_UNDER_WAY = frozenset({"pending", "requires_action"})
STRIPE_REFUND_FAILED = frozenset({"failed", "canceled"})
# The bank has not answered yet, whatever was asked for.
STRIPE_PROCESSING = "processing"
STRIPE_REFUSED = frozenset({"requires_payment_method", "requires_action", "canceled"})
STRIPE_FACTORS: Mapping[str, int] = {"ISK": 100, "UGX": 100}
# Nothing was done, and the same request will never be: malformed, refused, not to be processed.
DEFINITE_NO = frozenset({400, 402, 422})
# The charge is not in the state that the request needs.
CONFLICT = 409
# What a call raises that got no answer, or one that makes no sense (Stripe's objects have no attribute that was not sent).
NOT_AN_ANSWER = (aiohttp.ClientError, stripe.StripeError, TimeoutError, OSError, ValueError, AttributeError)
# Why an authorisation is declined that the provider was asked for, never answered and does not know.
NEVER_ARRIVED = "PROVIDER_NEVER_RECEIVED"
# Idle connections are closed before the provider's own side does, so that no call is sent into a closing one, in seconds.
KEEPALIVE_S = 30.0


Reply = domain.Answer | domain.Silence


class NoAnswerError(Exception):
    """The provider did not answer, or not so that it binds it: whether it did what it was asked is unknown."""


class Api(Protocol):
    """What a provider's interface is put to."""

    async def ask(self, payment: domain.Payment) -> Reply | None:
        """The definite answer, if what the payment's state asks for happened already. Raises NoAnswerError."""

    async def find(self, payment: domain.Payment) -> Reply | None:
        """The same without the key, which may be forgotten: from what the provider has. Raises NoAnswerError."""

    async def do(self, payment: domain.Payment) -> Reply:
        """Do what the payment's state asks for. Raises NoAnswerError."""


@dataclass(frozen=True, slots=True)
class _Started:
    """What exists only while the process runs: connections, and the breaker in front of them."""

    session: aiohttp.ClientSession
    breaker: AsyncCircuitBreaker
    api: Api


class Provider:
    """The provider that the settings name. A part of the process: it keeps connections open from start to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
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
        self._started = _Started(session, breaker, _api(self._settings, session))

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

    async def call(self, payment: domain.Payment, *, repeated: bool, age_s: float = 0.0) -> Reply:
        """Do what the payment's state asks for. Raises nothing.

        A repeated call asks first what became of the earlier ones, of which the first was age_s seconds ago.
        """
        try:
            async with self._running.breaker:
                try:
                    return await self._reply(payment, repeated=repeated, age_s=age_s)
                except NOT_AN_ANSWER as error:
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

    async def _reply(self, payment: domain.Payment, *, repeated: bool, age_s: float) -> Reply:
        api, may_send = self._running.api, self._may_send(payment, repeated=repeated, age_s=age_s)
        # An order that is confirmed was granted its money once: under which key, only the provider may still know.
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
        # What is let go twice is let go once, whatever the provider remembers.
        return known or not repeated or payment.verb is domain.Verb.VOID


def _api(settings: Settings, session: aiohttp.ClientSession) -> Api:
    if settings.provider is ProviderKind.STRIPE:
        return Intents(settings, session)
    return Charges(settings, session)


class Charges:
    """The API of the simulator's kind: charges that are made, captured, voided and refunded."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._charges = URL(settings.provider_url) / "v1" / "charges"
        self._session = session

    async def ask(self, payment: domain.Payment) -> Reply | None:
        """See `Api`."""
        if payment.verb is domain.Verb.AUTHORIZE:
            status, body = await self._get(self._charges.with_query(idempotency_key=_key(payment)))
            if status == 404:
                return None
            declined = body.get("status") == "declined"
            return _no(body) if declined else _yes(body)
        status, body = await self._get(self._charges / payment.provider_reference)
        if payment.verb is domain.Verb.VOID and body.get("status") in DONE[domain.Verb.CAPTURE]:
            return domain.Answer(domain.Input.TAKEN)
        return _yes(body) if _done(payment, body) else None

    async def find(self, payment: domain.Payment) -> Reply | None:
        """See `Api`."""
        if payment.verb is not domain.Verb.AUTHORIZE:
            return await self.ask(payment)
        # An order has one payment: its charge is known by the order's id.
        status, body = await self._get(self._charges.with_query(reference=payment.order_id))
        return None if status == 404 else _yes(body)

    async def do(self, payment: domain.Payment) -> Reply:
        """See `Api`."""
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
            return await self.ask(payment) or _no(body)
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
        async with self._session.request(method, url, **options) as response:
            return response.status, json.loads(await response.read())


class Intents:
    """Stripe: a PaymentIntent is confirmed at once and captured by hand.

    Stripe remembers an idempotency key for at least a day, so asking again what became of an authorisation is repeating it;
    later it is searched for by the order's id in its metadata. Search lags (an hour at worst, by Stripe's word), hence the
    settings' lookup lag, and is not offered to accounts in India: there such a payment stays unknown until somebody acts.
    """

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=settings.provider_timeout_s), session=session)
        self._stripe = stripe.StripeClient(
            settings.stripe_api_key,
            base_addresses={"api": settings.stripe_api_base},
            http_client=http,
            max_network_retries=0,  # the worker repeats, counts and waits
        )

    async def ask(self, payment: domain.Payment) -> Reply | None:
        """See `Api`."""
        if payment.verb is domain.Verb.AUTHORIZE:
            return None
        if payment.verb is domain.Verb.REFUND:
            return await self._refunded(payment)
        intent = await self._stripe.v1.payment_intents.retrieve_async(payment.provider_reference)
        if intent.status == STRIPE_PROCESSING:
            return domain.Silence.UNKNOWN
        if payment.verb is domain.Verb.VOID and intent.status in STRIPE_DONE[domain.Verb.CAPTURE]:
            return domain.Answer(domain.Input.TAKEN)
        return domain.Answer(domain.Input.YES, reference=intent.id) if _happened(payment, intent) else None

    async def find(self, payment: domain.Payment) -> Reply | None:
        """See `Api`."""
        if payment.verb is not domain.Verb.AUTHORIZE:
            return await self.ask(payment)
        # An order has one payment, whatever its id was when the intent was made.
        query: stripe.params.PaymentIntentSearchParams = {"query": f"metadata['order_id']:'{payment.order_id}'"}
        found = (await self._stripe.v1.payment_intents.search_async(query)).data
        return _answered(payment, found[0]) if found else None

    async def do(self, payment: domain.Payment) -> Reply:
        """See `Api`."""
        try:
            return await self._do(payment)
        except stripe.CardError as error:
            return _stripe_no((error.error.decline_code if error.error else "") or error.code)
        except stripe.IdempotencyError:
            # This key was used with another content: another payment method was chosen, and a restore made us forget it.
            if found := await self.find(payment):
                return found
            raise
        except stripe.InvalidRequestError as error:
            # The intent is not where we thought it was, where it is now decides; or nothing was done, and never will be.
            return await self.ask(payment) or _stripe_no(error.code)

    async def _do(self, payment: domain.Payment) -> Reply:
        options: stripe.RequestOptions = {"idempotency_key": _key(payment)}
        intents, reference = self._stripe.v1.payment_intents, payment.provider_reference
        match payment.verb:
            case domain.Verb.AUTHORIZE:
                intent = await intents.create_async(_intent(payment), options)
            case domain.Verb.CAPTURE:
                taken: stripe.params.PaymentIntentCaptureParams = {
                    "amount_to_capture": _minor(payment, payment.amount.amount)
                }
                intent = await intents.capture_async(reference, taken, options)
            case domain.Verb.VOID:
                intent = await intents.cancel_async(reference, options=options)
            case _:
                return await self._refund(payment, options)
        return _answered(payment, intent)

    async def _refund(self, payment: domain.Payment, options: stripe.RequestOptions) -> Reply:
        reference, amount = payment.provider_reference, _minor(payment, payment.giving_back)
        refund = await self._stripe.v1.refunds.create_async({"payment_intent": reference, "amount": amount}, options)
        if refund.status in STRIPE_REFUND_FAILED:
            return _stripe_no(getattr(refund, "failure_reason", None))
        if refund.status != STRIPE_REFUNDED:
            # Accepted, and under way for up to some days: a repetition finds what became of it.
            return domain.Silence.UNKNOWN
        return domain.Answer(domain.Input.YES, reference=reference)

    async def _refunded(self, payment: domain.Payment) -> Reply | None:
        """What became of a refund that was asked for before; None when Stripe has none that could be it.

        An intent counts a refund that is under way as given back, and a repeated key answers what its first request was
        answered: only the refunds themselves tell. They are counted, for each payment gives back one after the other.
        """
        listed: stripe.params.RefundListParams = {"payment_intent": payment.provider_reference, "limit": 100}
        given = under_way = 0
        async for refund in (await self._stripe.v1.refunds.list_async(listed)).auto_paging_iter():
            given += refund.amount if refund.status == STRIPE_REFUNDED else 0
            under_way += refund.amount if refund.status in STRIPE_REFUND_UNDER_WAY else 0
        wanted = _minor(payment, payment.refunded + payment.giving_back)
        if given >= wanted:
            return domain.Answer(domain.Input.YES, reference=payment.provider_reference)
        return domain.Silence.UNKNOWN if given + under_way >= wanted else None


def _intent(payment: domain.Payment) -> stripe.params.PaymentIntentCreateParams:
    return {
        "amount": _minor(payment, payment.amount.amount),
        "currency": payment.amount.currency.lower(),
        "payment_method": payment.payment_method,
        "capture_method": "manual",
        "confirm": True,
        # Nobody is there to answer a bank's question: a card that wants one is declined.
        "error_on_requires_action": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"order_id": payment.order_id, "payment_id": payment.id},
    }


def _answered(payment: domain.Payment, intent: stripe.PaymentIntent) -> Reply:
    if intent.status == STRIPE_PROCESSING:
        return domain.Silence.UNKNOWN
    if _happened(payment, intent):
        return domain.Answer(domain.Input.YES, reference=intent.id)
    if payment.verb is domain.Verb.AUTHORIZE and intent.status in STRIPE_REFUSED:
        return _stripe_no(intent.status)
    raise NoAnswerError(f"intent {intent.id} is {intent.status}")


def _happened(payment: domain.Payment, intent: stripe.PaymentIntent) -> bool:
    return payment.verb is not None and intent.status in STRIPE_DONE[payment.verb]


def _minor(payment: domain.Payment, amount: int) -> int:
    """An amount as Stripe counts it: in minor units, but two digits of them for a currency that has none any more."""
    return amount * STRIPE_FACTORS.get(payment.amount.currency, 1)


def _stripe_no(code: str | None) -> domain.Answer:
    return domain.Answer(domain.Input.NO, reason=(code or "refused").upper())


def _key(payment: domain.Payment) -> str:
    """The idempotency key: the same for every attempt at this verb of this payment, whichever process makes it."""
    return f"{payment.id}:{payment.call}"


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
            return {"amount": payment.giving_back}
        case _:
            return {}


def _done(payment: domain.Payment, charge: Mapping[str, Any]) -> bool:
    """Whether the provider did what the payment's state asks for. Refunds follow one another: what is given back tells."""
    if payment.verb is domain.Verb.REFUND:
        return bool(charge["refunded_amount"] >= payment.refunded + payment.giving_back)
    return payment.verb is not None and charge["status"] in DONE[payment.verb]


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
