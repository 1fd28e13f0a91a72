"""The HTTP API of the simulator's kind: charges that are made, captured, voided and refunded."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiohttp
from yarl import URL

from services.payment import domain
from services.payment.clients import answers
from services.payment.domain import reconciling
from services.payment.settings import Settings

# What the provider says of a charge whose verb is done.
DONE: Mapping[domain.Verb, frozenset[str]] = {
    domain.Verb.CAPTURE: frozenset({"captured", "partially_refunded", "refunded"}),
    domain.Verb.VOID: frozenset({"voided"}),
}
# What is held of a charge that was not captured.
HELD: Mapping[str, reconciling.Held] = {
    "authorized": reconciling.Held.HELD,
    "voided": reconciling.Held.NOTHING,
    "requires_action": reconciling.Held.NOTHING,
    "declined": reconciling.Held.NOTHING,
}
# The customer has to confirm before anything is held.
ACTION = "requires_action"
# Nothing was done, and the same request will never be: malformed, refused, not to be processed.
DEFINITE_NO = frozenset({400, 402, 422})
# The charge is not in the state that the request needs.
CONFLICT = 409


class Charges:
    """The API of the simulator's kind: charges that are made, captured, voided and refunded."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._charges = URL(settings.provider_url) / "v1" / "charges"
        self._session = session

    async def ask(self, payment: domain.Payment) -> domain.Outcome | None:
        """See `Api`."""
        if payment.verb is domain.Verb.AUTHORIZE:
            status, body = await self._get(self._charges.with_query(idempotency_key=answers.key_of(payment)))
            return None if status == 404 else _authorized(body)
        status, body = await self._get(self._charges / payment.provider_reference)
        if payment.verb is domain.Verb.VOID and body.get("status") in DONE[domain.Verb.CAPTURE]:
            return domain.Answer(domain.Input.TAKEN)
        return _yes(body) if _done(payment, body) else None

    async def find(self, payment: domain.Payment) -> domain.Outcome | None:
        """See `Api`."""
        if payment.verb is not domain.Verb.AUTHORIZE:
            return await self.ask(payment)
        # An order has one payment: its charge is known by the order's id.
        status, body = await self._get(self._charges.with_query(reference=payment.order_id))
        return None if status == 404 else _authorized(body)

    async def confirmed(self, payment: domain.Payment) -> domain.Outcome:
        """See `Api`."""
        _, body = await self._get(self._charges / payment.provider_reference)
        if body.get("status") == ACTION:
            return domain.Silence.WAITING
        return _no(body) if body.get("status") == "voided" else _authorized(body)

    async def do(self, payment: domain.Payment) -> domain.Outcome:
        """See `Api`."""
        if payment.verb is domain.Verb.AUTHORIZE:
            status, body = await self._post(self._charges, answers.key_of(payment), _charge(payment))
        else:
            url = self._charges / payment.provider_reference / str(payment.verb)
            status, body = await self._post(url, answers.key_of(payment), _change(payment))
        if status == 200:
            return _authorized(body) if payment.verb is domain.Verb.AUTHORIZE else _yes(body)
        if status in DEFINITE_NO:
            return _no(body)
        if status == CONFLICT and payment.verb is not domain.Verb.AUTHORIZE:
            # The charge is not where we thought it was: where it is now decides.
            return await self.ask(payment) or _no(body)
        raise answers.NoAnswerError(f"status {status}: {body}")

    async def statement(self, since: datetime) -> AsyncIterator[list[reconciling.Charge]]:
        """See `Api`. The simulator's kind lists them in the order in which they were made, all of them."""
        del since
        after: str | None = "0"
        while after is not None:
            _, body = await self._get(self._charges.with_query(after=after))
            yield [_listed(charge) for charge in body["data"]]
            after = body["next"]

    async def _post(self, url: URL, key: str, content: Mapping[str, Any]) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return await self._exchange("POST", url, headers=headers, data=json.dumps(content).encode())

    async def _get(self, url: URL) -> tuple[int, Any]:
        status, body = await self._exchange("GET", url)
        if status not in (200, 404):
            raise answers.NoAnswerError(f"status {status}: {body}")
        return status, body

    async def _exchange(self, method: str, url: URL, **options: Any) -> tuple[int, Any]:
        async with self._session.request(method, url, **options) as response:
            return response.status, json.loads(await response.read())


def _listed(charge: Mapping[str, Any]) -> reconciling.Charge:
    return reconciling.Charge(
        reference=str(charge["id"]),
        order_id=answers.order_of(charge["reference"]),
        state=HELD.get(charge["status"], reconciling.Held.TAKEN),
        currency=str(charge["currency"]),
        captured=int(charge["captured_amount"]),
        refunded=int(charge["refunded_amount"]),
    )


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


def _authorized(body: Mapping[str, Any]) -> domain.Answer:
    """What became of a charge that was to be made: it is held, or not, or its customer has to confirm it."""
    match body.get("status"):
        case "declined":
            return _no(body)
        case "requires_action":
            action = domain.Action(url=str(body["next_action"]["url"]))
            return replace(_yes(body), input=domain.Input.ACTION_REQUIRED, action=action)
        case _:
            return _yes(body)


def _yes(body: Mapping[str, Any]) -> domain.Answer:
    try:
        return domain.Answer(domain.Input.YES, reference=str(body["id"]))
    except KeyError as error:
        raise answers.NoAnswerError(f"not a charge: {body}") from error


def _no(body: Mapping[str, Any]) -> domain.Answer:
    code = body.get("error", {}).get("code", "refused")
    return domain.Answer(domain.Input.NO, reason=str(code).upper())
