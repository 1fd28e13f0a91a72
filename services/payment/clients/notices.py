"""Reads what the provider tells of by itself: webhooks, signed with a secret of its own.

Stripe's events: https://docs.stripe.com/api/events/types. The shop has to be sent `payment_intent.*`, `refund.*` and
`charge.dispute.*`; whatever else comes is accepted and does nothing. The simulator's kind sends the same envelope.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.chassis import clock, webhooks
from services.payment.clients import stripe_amounts
from services.payment.domain import notices
from services.payment.settings import ProviderKind, Settings

HEADERS: Mapping[ProviderKind, str] = {
    ProviderKind.STRIPE: "stripe-signature",
    ProviderKind.SIMULATOR: "webhook-signature",
}
# How a dispute stands by Stripe's word (https://docs.stripe.com/api/disputes/object). An inquiry (`warning_...`) moves no money.
_DISPUTES: Mapping[str, notices.DisputeState] = {
    "needs_response": notices.DisputeState.OPEN,
    "under_review": notices.DisputeState.OPEN,
    "won": notices.DisputeState.WON,
    "lost": notices.DisputeState.LOST,
}
_FAILED = frozenset({"failed", "canceled"})

Body = Mapping[str, Any]


def door(
    settings: Settings, hear: Callable[[notices.Notice], Awaitable[None]], *, now: clock.Clock
) -> webhooks.Door[notices.Notice]:
    """Where the webhooks come in of the provider that the settings name."""
    kind = settings.provider
    sender = webhooks.Sender(str(kind), HEADERS[kind], settings.webhook_secrets)
    return webhooks.Door(sender, functools.partial(_notice, kind), hear, now=now)


def _notice(kind: ProviderKind, event: Body) -> notices.Notice:
    about = event["data"]["object"]
    reads = _of_stripe if kind is ProviderKind.STRIPE else _of_simulator
    reference, order_id, news = reads(str(event["type"]), about)
    return notices.Notice(
        provider=str(kind),
        id=_text(event["id"]),
        type=_text(event["type"]),
        time=datetime.fromtimestamp(int(event["created"]), UTC),
        reference=reference,
        order_id=order_id,
        news=news,
    )


def _of_stripe(kind: str, about: Body) -> tuple[str, str, notices.News | None]:
    if kind.startswith("payment_intent."):
        return _text(about["id"]), _order(about), notices.Changed()
    if kind.startswith("charge.dispute."):
        return _text(about.get("payment_intent") or ""), "", _stripe_dispute(about)
    if kind.startswith(("refund.", "charge.refund.")):
        failed = about["status"] in _FAILED
        news = notices.RefundFailed(_call(about), _reason(about.get("failure_reason"))) if failed else notices.Changed()
        return _text(about.get("payment_intent") or ""), "", news
    return "", "", None


def _stripe_dispute(about: Body) -> notices.Dispute | None:
    state = _DISPUTES.get(about["status"])
    if state is None:
        return None
    amount = stripe_amounts.received(int(about["amount"]), str(about["currency"]).upper())
    return notices.Dispute(_text(about["id"]), state, amount, _reason(about.get("reason")))


def _of_simulator(kind: str, about: Body) -> tuple[str, str, notices.News | None]:
    reads: Mapping[str, Callable[[], notices.News]] = {
        "charge": notices.Changed,
        "refund": lambda: notices.RefundFailed(_named(_text(about["call"])), _reason(about.get("reason"))),
        "dispute": lambda: notices.Dispute(
            _text(about["id"]), _DISPUTES[about["status"]], int(about["amount"]), _reason(about.get("reason"))
        ),
    }
    family = kind.partition(".")[0]
    if family not in reads:
        return "", "", None
    reference = about["id"] if family == "charge" else about["charge"]
    return _text(reference), webhooks.own_id(about.get("reference")), reads[family]()


def _call(refund: Body) -> str:
    return _named(_text((refund.get("metadata") or {}).get("call", "")))


def _named(key: str) -> str:
    """The name of the call that this idempotency key was made from (`answers.key_of`), without its payment."""
    return key.partition(":")[2]


def _order(intent: Body) -> str:
    return webhooks.own_id((intent.get("metadata") or {}).get("order_id"))


def _reason(value: Any) -> str:
    return _text(value or "refused").upper()


def _text(value: Any) -> str:
    """A short text of the provider's, as a database can keep it."""
    return str(value)[:255].encode("ascii", "backslashreplace").decode().replace("\0", "")[:255]
