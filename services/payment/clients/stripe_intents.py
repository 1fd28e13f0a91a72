"""Stripe, by its own library: a PaymentIntent is confirmed at once and captured by hand."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime

import aiohttp
import stripe

from services.chassis import money
from services.payment import domain
from services.payment.clients import answers, stripe_amounts
from services.payment.domain import reconciling
from services.payment.settings import Settings

# What Stripe says of an intent whose verb is done, and the states of one that was refused when it was made.
STRIPE_DONE: Mapping[domain.Verb, frozenset[str]] = {
    domain.Verb.AUTHORIZE: frozenset({"requires_capture", "succeeded"}),
    domain.Verb.CONFIRM: frozenset({"requires_capture", "succeeded"}),
    domain.Verb.CAPTURE: frozenset({"succeeded"}),
    domain.Verb.VOID: frozenset({"canceled"}),
}
STRIPE_HELD: Mapping[str, reconciling.Held] = {
    "requires_capture": reconciling.Held.HELD,
    "succeeded": reconciling.Held.TAKEN,
}
# A refund's status (https://docs.stripe.com/api/refunds/object). It is under way while the bank processes it, Stripe's
# balance does not cover it, or the customer has to provide an account. Failed and canceled ones return to our balance.
STRIPE_REFUNDED = "succeeded"
STRIPE_REFUND_UNDER_WAY = frozenset({"pending", "requires_action"})
STRIPE_REFUND_FAILED = frozenset({"failed", "canceled"})
# The bank has not answered yet, whatever was asked for.
STRIPE_PROCESSING = "processing"
STRIPE_REFUSED = frozenset({"requires_payment_method", "canceled"})
# The customer has to confirm with their bank (3-D Secure). After that the intent goes on by itself, to `requires_capture` or
# back to `requires_payment_method`: https://docs.stripe.com/payments/paymentintents/lifecycle
STRIPE_ACTION = "requires_action"
# Where a refund's metadata says which call made it.
STRIPE_CALL = "call"
# Why an amount is declined, or not refunded, that Stripe could only move rounded.
AMOUNT_NOT_SUPPORTED = "AMOUNT_NOT_SUPPORTED"


class Intents:
    """Stripe: a PaymentIntent is confirmed at once and captured by hand.

    Stripe keeps an idempotency key for at least a day, so until then the outcome of an authorisation is looked up by repeating
    it; later it is searched for by the order's id in its metadata. Search lags (an hour at worst, by Stripe's word), hence the
    settings' lookup lag, and is not offered to accounts in India: there such a payment stays unknown until an operator acts.
    """

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        timeout = aiohttp.ClientTimeout(total=settings.provider_timeout_s)
        self._http = stripe.AIOHTTPClient(timeout=timeout, session=session)
        self._settings = settings
        self._key = settings.stripe_api_key.current()
        self._client = self._made(self._key)

    @property
    def _stripe(self) -> stripe.StripeClient:
        """The library's client, with the key of the moment."""
        if (key := self._settings.stripe_api_key.current()) != self._key:
            self._key, self._client = key, self._made(key)
        return self._client

    def _made(self, key: str) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            base_addresses={"api": self._settings.stripe_api_base},
            http_client=self._http,
            max_network_retries=0,  # the worker repeats, counts and waits
        )

    async def ask(self, payment: domain.Payment) -> domain.Outcome | None:
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

    async def find(self, payment: domain.Payment) -> domain.Outcome | None:
        """See `Api`."""
        if payment.verb is not domain.Verb.AUTHORIZE:
            return await self.ask(payment)
        # An order has one payment, whatever its id was when the intent was made.
        query: stripe.params.PaymentIntentSearchParams = {"query": f"metadata['order_id']:'{payment.order_id}'"}
        found = (await self._stripe.v1.payment_intents.search_async(query)).data
        return _answered(payment, found[0]) if found else None

    async def confirmed(self, payment: domain.Payment) -> domain.Outcome:
        """See `Api`."""
        intent = await self._stripe.v1.payment_intents.retrieve_async(payment.provider_reference)
        if intent.status == STRIPE_ACTION:
            return domain.Silence.WAITING
        return _answered(payment, intent)

    async def statement(self, since: datetime) -> AsyncIterator[list[reconciling.Charge]]:
        """See `Api`: a page of intents, with what was refunded of each one's charge."""
        asked: stripe.params.PaymentIntentListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.latest_charge"],
        }
        async for intent in (await self._stripe.v1.payment_intents.list_async(asked)).auto_paging_iter():
            yield [_listed(intent)]

    async def do(self, payment: domain.Payment) -> domain.Outcome:
        """See `Api`."""
        if not stripe_amounts.is_accepted(_moved(payment)):
            return domain.Answer(domain.Input.NO, reason=AMOUNT_NOT_SUPPORTED)
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

    async def _do(self, payment: domain.Payment) -> domain.Outcome:
        options: stripe.RequestOptions = {"idempotency_key": answers.key_of(payment)}
        intents, reference = self._stripe.v1.payment_intents, payment.provider_reference
        match payment.verb:
            case domain.Verb.AUTHORIZE:
                asked = _intent(payment)
                if self._settings.return_url:
                    asked["return_url"] = self._settings.return_url
                intent = await intents.create_async(asked, options)
            case domain.Verb.CAPTURE:
                taken: stripe.params.PaymentIntentCaptureParams = {
                    "amount_to_capture": stripe_amounts.sent(payment.amount)
                }
                intent = await intents.capture_async(reference, taken, options)
            case domain.Verb.VOID:
                intent = await intents.cancel_async(reference, options=options)
            case _:
                return await self._refund(payment, options)
        return _answered(payment, intent)

    async def _refund(self, payment: domain.Payment, options: stripe.RequestOptions) -> domain.Outcome:
        asked: stripe.params.RefundCreateParams = {
            "payment_intent": payment.provider_reference,
            "amount": stripe_amounts.sent(_moved(payment)),
            "metadata": {STRIPE_CALL: answers.key_of(payment)},
        }
        return _refund_answer(payment, await self._stripe.v1.refunds.create_async(asked, options))

    async def _refunded(self, payment: domain.Payment) -> domain.Outcome | None:
        """The outcome of a refund that was requested before; None when Stripe has none that could be it.

        A repeated key gets the answer of its first request, and a charge's `amount_refunded` does not tell a refund that is
        pending from one that succeeded: the refunds themselves do. Money that was given back by other means (by a person,
        under a key that a restored database does not know) counts by its sum, for refunds of a payment follow one another.
        """
        listed: stripe.params.RefundListParams = {"payment_intent": payment.provider_reference, "limit": 100}
        found = [refund async for refund in (await self._stripe.v1.refunds.list_async(listed)).auto_paging_iter()]
        wanted = stripe_amounts.sent(replace(payment.amount, amount=payment.refunded + payment.giving_back))
        given = sum(refund.amount for refund in found if refund.status == STRIPE_REFUNDED)
        if given >= wanted:
            return domain.Answer(domain.Input.YES, reference=payment.provider_reference)
        if own := [refund for refund in found if _made_by(refund) == answers.key_of(payment)]:
            return _refund_answer(payment, own[0])
        under_way = sum(refund.amount for refund in found if refund.status in STRIPE_REFUND_UNDER_WAY)
        return domain.Silence.UNKNOWN if given + under_way >= wanted else None


def _refund_answer(payment: domain.Payment, refund: stripe.Refund) -> domain.Outcome:
    if refund.status in STRIPE_REFUND_FAILED:
        return _stripe_no(getattr(refund, "failure_reason", None))
    if refund.status == STRIPE_REFUNDED:
        return domain.Answer(domain.Input.YES, reference=payment.provider_reference)
    # Accepted, and under way for up to some days: a repetition finds its outcome.
    return domain.Silence.UNKNOWN


def _made_by(refund: stripe.Refund) -> str:
    """The call that made a refund; empty for one that was made by hand, or by a release that did not say so."""
    return str(getattr(getattr(refund, "metadata", None), STRIPE_CALL, ""))


def _intent(payment: domain.Payment) -> stripe.params.PaymentIntentCreateParams:
    return {
        "amount": stripe_amounts.sent(payment.amount),
        "currency": payment.amount.currency.lower(),
        "payment_method": payment.payment_method,
        "capture_method": "manual",
        "confirm": True,
        # No method that leads the customer away for good: a card's bank may ask, and the order waits for the answer.
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"order_id": payment.order_id, "payment_id": payment.id},
    }


def _answered(payment: domain.Payment, intent: stripe.PaymentIntent) -> domain.Outcome:
    if intent.status == STRIPE_PROCESSING:
        return domain.Silence.UNKNOWN
    if _happened(payment, intent):
        return domain.Answer(domain.Input.YES, reference=intent.id)
    authorizes = payment.verb in (domain.Verb.AUTHORIZE, domain.Verb.CONFIRM)
    if authorizes and intent.status == STRIPE_ACTION:
        return domain.Answer(domain.Input.ACTION_REQUIRED, reference=intent.id, action=_action(intent))
    if authorizes and intent.status in STRIPE_REFUSED:
        said = getattr(intent, "last_payment_error", None)
        return _stripe_no(getattr(said, "code", None) or intent.status)
    raise answers.NoAnswerError(f"intent {intent.id} is {intent.status}")


def _action(intent: stripe.PaymentIntent) -> domain.Action:
    """How the customer confirms: where Stripe's page is, if a `return_url` was given, and what Stripe.js is called with.

    See https://docs.stripe.com/api/payment_intents/object (`next_action`, `client_secret`).
    """
    page = getattr(getattr(intent, "next_action", None), "redirect_to_url", None)
    return domain.Action(getattr(page, "url", None) or "", getattr(intent, "client_secret", None) or "")


def _happened(payment: domain.Payment, intent: stripe.PaymentIntent) -> bool:
    return payment.verb is not None and intent.status in STRIPE_DONE[payment.verb]


def _listed(intent: stripe.PaymentIntent) -> reconciling.Charge:
    currency = intent.currency.upper()
    refunded = getattr(getattr(intent, "latest_charge", None), "amount_refunded", 0)
    return reconciling.Charge(
        reference=intent.id,
        order_id=answers.order_of(getattr(intent.metadata, "order_id", "")),
        state=STRIPE_HELD.get(intent.status, reconciling.Held.NOTHING),
        currency=currency,
        captured=stripe_amounts.received(getattr(intent, "amount_received", 0) or 0, currency),
        refunded=stripe_amounts.received(refunded or 0, currency),
    )


def _moved(payment: domain.Payment) -> money.Money:
    """The amount that the call moves: a refund's, else the payment's."""
    return replace(payment.amount, amount=payment.giving_back) if payment.verb is domain.Verb.REFUND else payment.amount


def _stripe_no(code: str | None) -> domain.Answer:
    return domain.Answer(domain.Input.NO, reason=(code or "refused").upper())
