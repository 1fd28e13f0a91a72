"""What the payment service hears and says: two tables. Next stop of what is heard: `usecases.py`."""

import uuid
from collections.abc import Callable
from typing import Any

from services.chassis import money
from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.payment import domain, usecases
from souk.order.v1 import order_events_pb2
from souk.payment.v1 import payment_events_pb2

TOPIC = "payments"
CONSUMED = ("orders",)


def _amount_fact(message: Callable[..., Any]) -> outbox.Publication:
    return _on_payments(
        lambda fact: message(
            order_id=fact.payment.order_id,
            payment_id=fact.payment.id,
            user_id=fact.payment.user_id,
            amount=render.money_message(fact.payment.amount),
        )
    )


def _refusal_fact(message: Callable[..., Any]) -> outbox.Publication:
    return _on_payments(
        lambda fact: message(
            order_id=fact.payment.order_id,
            payment_id=fact.payment.id,
            user_id=fact.payment.user_id,
            reason=fact.payment.failure_reason,
        )
    )


def _voided(fact: domain.PaymentVoided) -> payment_events_pb2.PaymentVoided:
    payment = fact.payment
    if not payment.existed:
        return payment_events_pb2.PaymentVoided(order_id=payment.order_id)
    return payment_events_pb2.PaymentVoided(order_id=payment.order_id, payment_id=payment.id, user_id=payment.user_id)


def _refunded(fact: domain.PaymentRefunded) -> payment_events_pb2.PaymentRefunded:
    payment = fact.payment
    step = money.Money(payment.amount.currency, fact.step)
    return payment_events_pb2.PaymentRefunded(
        order_id=payment.order_id,
        payment_id=payment.id,
        user_id=payment.user_id,
        amount=render.money_message(payment.amount),
        step_amount=render.money_message(step) if fact.step else None,
    )


def _partly_refunded(fact: domain.PaymentPartlyRefunded) -> payment_events_pb2.PaymentPartlyRefunded:
    payment, currency = fact.payment, fact.payment.amount.currency
    return payment_events_pb2.PaymentPartlyRefunded(
        order_id=payment.order_id,
        payment_id=payment.id,
        user_id=payment.user_id,
        amount=render.money_message(money.Money(currency, fact.step)),
        refunded_amount=render.money_message(money.Money(currency, payment.refunded)),
    )


def _on_payments(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(
        TOPIC, lambda fact: fact.payment.order_id, render_fact, sequence=lambda fact: fact.payment.version
    )


PUBLISHED: outbox.Publications = {
    domain.PaymentAuthorized: _amount_fact(payment_events_pb2.PaymentAuthorized),
    domain.PaymentDeclined: _refusal_fact(payment_events_pb2.PaymentDeclined),
    domain.PaymentCaptured: _amount_fact(payment_events_pb2.PaymentCaptured),
    domain.PaymentCaptureRefused: _refusal_fact(payment_events_pb2.PaymentCaptureRefused),
    domain.PaymentVoided: _on_payments(_voided),
    domain.PaymentPartlyRefunded: _on_payments(_partly_refunded),
    domain.PaymentRefunded: _on_payments(_refunded),
}


def _request(message: order_events_pb2.PaymentRequested) -> domain.Request:
    amount = render.money_value(message.amount)
    if amount.amount <= 0:
        raise ValueError("a payment needs an amount")
    return domain.Request(
        order_id=_id(message.order_id),
        user_id=_id(message.user_id),
        amount=amount,
        payment_method=message.payment_method,
        # Orders of before this field do not say.
        request_time=render.moment(message.request_time) if message.HasField("request_time") else None,
    )


def _confirmation(message: order_events_pb2.OrderConfirmed) -> domain.Confirmation:
    return domain.Confirmation(_id(message.order_id))


def _cancellation(message: order_events_pb2.OrderCancelled) -> domain.Cancellation:
    return domain.Cancellation(_id(message.order_id), _id(message.user_id))


def _id(text: str) -> str:
    return str(uuid.UUID(text))


def subscribers(payments: usecases.Payments) -> reader.Subscribers:
    """Who handles what the payment service consumes: one use case for all of it, so that a wave's rows are locked at once."""
    return {
        order_events_pb2.PaymentRequested: reader.Subscriber(_request, payments.hear),
        order_events_pb2.OrderConfirmed: reader.Subscriber(_confirmation, payments.hear),
        order_events_pb2.OrderCancelled: reader.Subscriber(_cancellation, payments.hear),
    }
