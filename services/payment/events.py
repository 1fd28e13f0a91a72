"""What the payment service hears and says: two tables. Next stop of what is heard: `usecases/`."""

from collections.abc import Callable
from typing import Any

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.payment import domain, messages, usecases
from services.payment.domain import returns
from services.payment.usecases import returning
from souk.order.v1 import order_events_pb2, return_events_pb2
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


def _on_payments(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(
        TOPIC, lambda fact: fact.payment.order_id, render_fact, sequence=lambda fact: fact.payment.version
    )


PUBLISHED: outbox.Publications = {
    domain.PaymentActionRequired: _amount_fact(payment_events_pb2.PaymentActionRequired),
    domain.PaymentAuthorized: _amount_fact(payment_events_pb2.PaymentAuthorized),
    domain.PaymentDeclined: _refusal_fact(payment_events_pb2.PaymentDeclined),
    domain.PaymentCaptured: _amount_fact(payment_events_pb2.PaymentCaptured),
    domain.PaymentCaptureRefused: _refusal_fact(payment_events_pb2.PaymentCaptureRefused),
    domain.PaymentVoided: _on_payments(messages.of_payment_voided),
    domain.PaymentPartlyRefunded: _on_payments(messages.of_payment_partly_refunded),
    domain.PaymentRefunded: _on_payments(messages.of_payment_refunded),
    returns.ReturnRefundSettled: _on_payments(messages.of_return_refund_settled),
}


def subscribers(payments: usecases.Payments, returned: returning.Returning) -> reader.Subscribers:
    """Who handles what the payment service consumes: one use case for all of it, so that a wave's rows are locked at once.

    Inspections of returns have their own, which locks nothing.
    """
    return {
        order_events_pb2.PaymentRequested: reader.Subscriber(messages.request, payments.hear),
        order_events_pb2.OrderConfirmed: reader.Subscriber(messages.confirmation, payments.hear),
        order_events_pb2.OrderCancelled: reader.Subscriber(messages.cancellation, payments.hear),
        return_events_pb2.ReturnInspected: reader.Subscriber(messages.return_inspected, returned.hear),
    }
