"""What people are told, and how they want to be told: `of_notification` renders one, `registered` parses an event."""

import re
from collections.abc import Iterable
from datetime import time
from typing import Any

from google.api import httpbody_pb2

from services.chassis import ids
from services.chassis.rpc import render
from services.notification import domain
from services.notification.domain import Channel, Kind, Template
from souk.cart.v1 import cart_events_pb2
from souk.inventory.v1 import inventory_events_pb2
from souk.notification.v1 import (
    notification_pb2,
    preferences_pb2,
)
from souk.order.v1 import order_events_pb2, order_pb2, return_events_pb2
from souk.payment.v1 import payment_events_pb2
from souk.shipping.v1 import shipping_events_pb2
from souk.user.v1 import user_events_pb2

# What a carrier says of a parcel, if it looks like what carriers say: nothing else is told to anybody.
_CARRIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z ._-]{0,39}")
_TRACKING_NUMBER = re.compile(r"[0-9A-Za-z-]{1,40}")
_PROVIDER = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TRACKING_URL = re.compile(r"https?://[!#-;=?-~]{1,500}")


def of_notification(notification: domain.Notification) -> notification_pb2.Notification:
    return notification_pb2.Notification(
        id=notification.id,
        user_id=notification.user_id,
        channel=notification_pb2.Notification.Channel.Value(notification.channel),
        template=notification.template,
        subject=notification.subject,
        status=notification_pb2.Notification.Status.Value(notification.state),
        order_id=notification.order_id,
        create_time=render.timestamp(notification.create_time),
        send_time=render.timestamp(notification.send_time) if notification.send_time else None,
    )


def of_preferences(preferences: domain.Preferences) -> preferences_pb2.Preferences:
    choices = [
        preferences_pb2.Choice(
            kind=notification_pb2.Notification.Kind.Value(kind),
            channels=[notification_pb2.Notification.Channel.Value(channel) for channel in preferences.channels(kind)],
        )
        for kind in Kind
    ]
    return preferences_pb2.Preferences(
        user_id=preferences.user_id,
        choices=choices,
        phone_number=preferences.phone_number,
        push_endpoint=preferences.push_endpoint,
        language=preferences.language,
        quiet_hours=_of_quiet_hours(preferences.quiet_hours),
    )


def _of_quiet_hours(quiet: domain.QuietHours) -> preferences_pb2.QuietHours | None:
    if quiet == domain.NEVER:
        return None
    return preferences_pb2.QuietHours(start=f"{quiet.start:%H:%M}", end=f"{quiet.end:%H:%M}", time_zone=quiet.time_zone)


def quiet_hours(value: preferences_pb2.QuietHours) -> domain.QuietHours:
    """Quiet hours as they were sent; nothing means never."""
    if not value.time_zone:
        return domain.NEVER
    return domain.QuietHours(time.fromisoformat(value.start), time.fromisoformat(value.end), value.time_zone)


def kind(value: notification_pb2.Notification.Kind.ValueType) -> Kind:
    return Kind(notification_pb2.Notification.Kind.Name(value))


def channels(values: Iterable[notification_pb2.Notification.Channel.ValueType]) -> list[Channel]:
    return [Channel(notification_pb2.Notification.Channel.Name(value)) for value in values]


# What each kind of mail that can be unsubscribed is called on the pages of its links.
_CALLED = {Kind.MARKETING: "offers and reminders", Kind.STOCK: "your stock"}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Souk</title></head><body>
{}
</body></html>
"""


def page_that_asks(kind: Kind) -> httpbody_pb2.HttpBody:
    """A page with a button: pressing it posts to the address that the page is at."""
    asks = f'<form method="post"><p>No more mail about {_CALLED[kind]}?</p><button>Unsubscribe</button></form>'
    return _page(asks)


def page_that_says(kind: Kind) -> httpbody_pb2.HttpBody:
    return _page(f"<p>You get no more mail about {_CALLED[kind]}. Your preferences bring it back.</p>")


def _page(content: str) -> httpbody_pb2.HttpBody:
    return httpbody_pb2.HttpBody(content_type="text/html; charset=utf-8", data=_PAGE.format(content).encode())


def registered(message: user_events_pb2.UserRegistered) -> domain.Contact:
    return domain.Contact(
        ids.canonical(message.user_id), message.email, message.display_name, email_verified=message.email_verified
    )


def changed(message: user_events_pb2.UserChanged) -> domain.Contact:
    return domain.Contact(
        ids.canonical(message.user_id),
        message.email,
        message.display_name,
        message.version,
        email_verified=message.email_verified,
    )


def security_changed(message: user_events_pb2.SecurityChanged) -> domain.Letter:
    """A change that this release does not know yet is told as some change."""
    change = user_events_pb2.SecurityChanged.Change
    known = message.change in change.values()
    details = {
        "change_code": change.Name(message.change) if known else "",
        "provider": _like(_PROVIDER, message.provider),
        "changed": message.change_time.ToDatetime().strftime("%Y-%m-%d %H:%M UTC"),
    }
    return domain.Letter(
        ids.canonical(message.user_id), Template.SECURITY_CHANGED, ids.canonical(message.change_id), details
    )


def vendor_application_decided(message: user_events_pb2.VendorApplicationDecided) -> domain.Letter:
    template = Template.VENDOR_APPROVED if message.approved else Template.VENDOR_REJECTED
    return domain.Letter(ids.canonical(message.user_id), template, ids.canonical(message.application_id), {})


def cart_abandoned(message: cart_events_pb2.CartAbandoned) -> domain.Letter:
    total = domain.in_words(render.money_value(message.total)) if message.HasField("total") else ""
    return domain.Letter(
        ids.canonical(message.user_id),
        Template.CART_REMINDER,
        ids.canonical(message.abandonment_id),
        {"lines": _lines(message.lines), "total": total},
    )


def stock_low(message: inventory_events_pb2.StockLevelLow) -> domain.LowStock:
    return domain.LowStock(message.sku, message.available, message.threshold)


def _lines(lines: Iterable[order_pb2.OrderLine | cart_events_pb2.CartAbandoned.Line]) -> list[dict[str, Any]]:
    return [
        {"quantity": line.quantity, "title": line.title, "total": domain.in_words(render.money_value(line.total))}
        for line in lines
    ]


def order_confirmed(message: order_events_pb2.OrderConfirmed) -> domain.Letter:
    details = {
        "order_id": message.order_id,
        "lines": _lines(message.lines),
        "total": domain.in_words(render.money_value(message.total)),
    }
    return domain.Letter(
        ids.canonical(message.user_id), Template.ORDER_CONFIRMED, ids.canonical(message.order_id), details
    )


def order_cancelled(message: order_events_pb2.OrderCancellationCompleted) -> domain.Letter:
    details = {
        "order_id": message.order_id,
        "reason": message.reason,
        # What releases before languages say, which may send it while this one is rolled out.
        "because": domain.cancelled_because(message.reason),
    }
    return domain.Letter(
        ids.canonical(message.user_id), Template.ORDER_CANCELLED, ids.canonical(message.order_id), details
    )


def payment_refunded(message: payment_events_pb2.PaymentRefunded) -> domain.Letter:
    in_all = domain.in_words(render.money_value(message.amount))
    details = {"order_id": message.order_id, "amount": in_all}
    # Events of before this field say the sum only: then so do we.
    if message.HasField("step_amount"):
        details |= {"amount": domain.in_words(render.money_value(message.step_amount)), "refunded": in_all}
    return domain.Letter(
        ids.canonical(message.user_id), Template.PAYMENT_REFUNDED, ids.canonical(message.order_id), details
    )


def payment_partly_refunded(message: payment_events_pb2.PaymentPartlyRefunded) -> domain.Letter:
    amount, refunded = render.money_value(message.amount), render.money_value(message.refunded_amount)
    details = {
        "order_id": message.order_id,
        "amount": domain.in_words(amount),
        "refunded": domain.in_words(refunded),
    }
    # How much was given back in all grows with every refund, and so names it.
    occasion_id = ids.named(message.payment_id, str(refunded.amount))
    return domain.Letter(ids.canonical(message.user_id), Template.PAYMENT_PARTLY_REFUNDED, occasion_id, details)


def payment_action_required(message: payment_events_pb2.PaymentActionRequired) -> domain.Letter:
    """Told once for each payment. How to confirm is the bank's secret: the shop shows it to who signs in."""
    details = {"order_id": message.order_id, "amount": domain.in_words(render.money_value(message.amount))}
    return domain.Letter(
        ids.canonical(message.user_id), Template.PAYMENT_ACTION_REQUIRED, ids.canonical(message.payment_id), details
    )


def return_requested(message: return_events_pb2.ReturnRequested) -> domain.Letter:
    return _about_return(message, Template.RETURN_REQUESTED)


def return_approved(message: return_events_pb2.ReturnApproved) -> domain.Letter:
    lines = [{"quantity": line.quantity, "sku": line.sku} for line in message.lines]
    return _about_return(message, Template.RETURN_APPROVED, lines=lines)


def return_rejected(message: return_events_pb2.ReturnRejected) -> domain.Letter:
    """Why it was rejected is free text, which no address gets: the shop shows it to who signs in."""
    return _about_return(message, Template.RETURN_REJECTED)


def return_received(message: return_events_pb2.ReturnReceived) -> domain.Letter:
    return _about_return(message, Template.RETURN_RECEIVED)


def return_inspected(message: return_events_pb2.ReturnInspected) -> domain.Letter:
    """Says what is due; what is given back, a payment's own event tells."""
    due = render.money_value(message.refund_amount)
    return _about_return(message, Template.RETURN_INSPECTED, amount=domain.in_words(due) if due.amount else "")


def return_labelled(message: shipping_events_pb2.ReturnShipmentLabelled) -> domain.Letter:
    """Told once for each parcel: there is one for each warehouse that something of a return goes to."""
    details = {
        "order_id": message.order_id,
        "carrier": _like(_CARRIER, message.carrier),
        "label_url": _like(_TRACKING_URL, message.label_url),
        "lines": [{"quantity": line.quantity, "sku": line.sku} for line in message.lines],
    }
    return _about_shipment(message, Template.RETURN_LABELLED, details)


def shipment_sent(message: shipping_events_pb2.ShipmentHandedOver) -> domain.Letter:
    details = {
        **_tracked(message),
        "carrier": _like(_CARRIER, message.carrier),
        "lines": [{"quantity": line.quantity, "sku": line.sku} for line in message.lines],
        "complete": message.complete,
    }
    return _about_shipment(message, Template.SHIPMENT_SENT, details)


def shipment_delivered(message: shipping_events_pb2.ShipmentDelivered) -> domain.Letter:
    details = {
        "order_id": message.order_id,
        "delivered": message.deliver_time.ToJsonString(),
        "complete": message.complete,
    }
    return _about_shipment(message, Template.SHIPMENT_DELIVERED, details)


def shipment_not_delivered(message: shipping_events_pb2.ShipmentDeliveryFailed) -> domain.Letter:
    """Told once for each parcel, however often its carrier tries."""
    return _about_shipment(message, Template.SHIPMENT_NOT_DELIVERED, _tracked(message))


def shipment_undeliverable(message: shipping_events_pb2.ShipmentUndeliverable) -> domain.Letter:
    cause = shipping_events_pb2.ShipmentUndeliverable.Cause.Name(message.cause)
    return _about_shipment(
        message, Template.SHIPMENT_UNDELIVERABLE, {"order_id": message.order_id, "cause_code": cause}
    )


def _about_shipment(message: Any, template: Template, details: dict[str, Any]) -> domain.Letter:
    return domain.Letter(ids.canonical(message.user_id), template, ids.canonical(message.shipment_id), details)


def _about_return(message: Any, template: Template, **details: Any) -> domain.Letter:
    told = {"order_id": message.order_id, **details}
    return domain.Letter(ids.canonical(message.user_id), template, ids.canonical(message.return_id), told)


def _tracked(message: Any) -> dict[str, Any]:
    return {
        "order_id": message.order_id,
        "tracking_number": _like(_TRACKING_NUMBER, message.tracking_number),
        "tracking_url": _like(_TRACKING_URL, message.tracking_url),
    }


def _like(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""
