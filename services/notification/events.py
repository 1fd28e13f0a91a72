"""What the notification service hears; it says nothing. Next stop: `usecases.py`."""

import uuid

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.notification import domain, usecases
from services.notification.domain import Template
from souk.order.v1 import order_events_pb2
from souk.payment.v1 import payment_events_pb2
from souk.user.v1 import user_events_pb2

CONSUMED = ("orders", "payments", "users")

PUBLISHED: outbox.Publications = {}


def _registered(message: user_events_pb2.UserRegistered) -> domain.Contact:
    return domain.Contact(
        _id(message.user_id), message.email, message.display_name, email_verified=message.email_verified
    )


def _changed(message: user_events_pb2.UserChanged) -> domain.Contact:
    return domain.Contact(
        _id(message.user_id),
        message.email,
        message.display_name,
        message.version,
        email_verified=message.email_verified,
    )


def _confirmed(message: order_events_pb2.OrderConfirmed) -> domain.Letter:
    lines = [
        {
            "quantity": line.quantity,
            "title": line.title,
            "total": domain.in_words(render.money_value(line.total)),
        }
        for line in message.lines
    ]
    details = {
        "order_id": message.order_id,
        "lines": lines,
        "total": domain.in_words(render.money_value(message.total)),
    }
    return domain.Letter(_id(message.user_id), Template.ORDER_CONFIRMED, _id(message.order_id), details)


def _cancelled(message: order_events_pb2.OrderCancellationCompleted) -> domain.Letter:
    details = {"order_id": message.order_id, "because": domain.cancelled_because(message.reason)}
    return domain.Letter(_id(message.user_id), Template.ORDER_CANCELLED, _id(message.order_id), details)


def _refunded(message: payment_events_pb2.PaymentRefunded) -> domain.Letter:
    in_all = domain.in_words(render.money_value(message.amount))
    details = {"order_id": message.order_id, "amount": in_all}
    # Events of before this field say the sum only: then so do we.
    if message.HasField("step_amount"):
        details |= {"amount": domain.in_words(render.money_value(message.step_amount)), "refunded": in_all}
    return domain.Letter(_id(message.user_id), Template.PAYMENT_REFUNDED, _id(message.order_id), details)


def _partly_refunded(message: payment_events_pb2.PaymentPartlyRefunded) -> domain.Letter:
    amount, refunded = render.money_value(message.amount), render.money_value(message.refunded_amount)
    details = {
        "order_id": message.order_id,
        "amount": domain.in_words(amount),
        "refunded": domain.in_words(refunded),
    }
    # How much was given back in all grows with every refund, and so names it.
    occasion_id = str(uuid.uuid5(uuid.UUID(message.payment_id), str(refunded.amount)))
    return domain.Letter(_id(message.user_id), Template.PAYMENT_PARTLY_REFUNDED, occasion_id, details)


def _id(text: str) -> str:
    return str(uuid.UUID(text))


def subscribers(notifications: usecases.Notifications) -> reader.Subscribers:
    """Who handles what the notification service consumes."""
    return {
        user_events_pb2.UserRegistered: reader.Subscriber(_registered, notifications.register),
        user_events_pb2.UserChanged: reader.Subscriber(_changed, notifications.refresh),
        order_events_pb2.OrderConfirmed: reader.Subscriber(_confirmed, notifications.queue),
        order_events_pb2.OrderCancellationCompleted: reader.Subscriber(_cancelled, notifications.queue),
        payment_events_pb2.PaymentPartlyRefunded: reader.Subscriber(_partly_refunded, notifications.queue),
        payment_events_pb2.PaymentRefunded: reader.Subscriber(_refunded, notifications.queue),
    }
