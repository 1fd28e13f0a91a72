"""What the notification service hears; it says nothing. Next stop: `usecases.py`."""

from services.chassis import erasure
from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.notification import digests, messages, usecases
from souk.cart.v1 import cart_events_pb2
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2, return_events_pb2
from souk.payment.v1 import payment_events_pb2
from souk.shipping.v1 import shipping_events_pb2
from souk.user.v1 import user_events_pb2

CONSUMED = ("orders", "payments", "users", "carts", "inventory", "shipments")

PUBLISHED: outbox.Publications = {}


def subscribers(
    notifications: usecases.Notifications, vendors: digests.Digests, erasing: erasure.Erasure
) -> reader.Subscribers:
    """Who handles what the notification service consumes."""
    return {
        user_events_pb2.UserRegistered: reader.Subscriber(messages.registered, notifications.register),
        user_events_pb2.UserChanged: reader.Subscriber(messages.changed, notifications.refresh),
        user_events_pb2.UserErased: reader.Subscriber(erasure.erased_user, erasing.hear),
        user_events_pb2.SecurityChanged: reader.Subscriber(messages.security_changed, notifications.queue),
        user_events_pb2.VendorApplicationDecided: reader.Subscriber(
            messages.vendor_application_decided, notifications.queue
        ),
        order_events_pb2.OrderConfirmed: reader.Subscriber(messages.order_confirmed, notifications.queue),
        order_events_pb2.OrderCancellationCompleted: reader.Subscriber(messages.order_cancelled, notifications.queue),
        payment_events_pb2.PaymentPartlyRefunded: reader.Subscriber(
            messages.payment_partly_refunded, notifications.queue
        ),
        payment_events_pb2.PaymentActionRequired: reader.Subscriber(
            messages.payment_action_required, notifications.queue
        ),
        return_events_pb2.ReturnRequested: reader.Subscriber(messages.return_requested, notifications.queue),
        return_events_pb2.ReturnApproved: reader.Subscriber(messages.return_approved, notifications.queue),
        return_events_pb2.ReturnRejected: reader.Subscriber(messages.return_rejected, notifications.queue),
        return_events_pb2.ReturnReceived: reader.Subscriber(messages.return_received, notifications.queue),
        return_events_pb2.ReturnInspected: reader.Subscriber(messages.return_inspected, notifications.queue),
        cart_events_pb2.CartAbandoned: reader.Subscriber(messages.cart_abandoned, notifications.queue),
        inventory_events_pb2.StockLevelLow: reader.Subscriber(messages.stock_low, vendors.note),
        payment_events_pb2.PaymentRefunded: reader.Subscriber(messages.payment_refunded, notifications.queue),
        shipping_events_pb2.ShipmentHandedOver: reader.Subscriber(messages.shipment_sent, notifications.queue),
        shipping_events_pb2.ReturnShipmentLabelled: reader.Subscriber(messages.return_labelled, notifications.queue),
        shipping_events_pb2.ShipmentDelivered: reader.Subscriber(messages.shipment_delivered, notifications.queue),
        shipping_events_pb2.ShipmentDeliveryFailed: reader.Subscriber(
            messages.shipment_not_delivered, notifications.queue
        ),
        shipping_events_pb2.ShipmentUndeliverable: reader.Subscriber(
            messages.shipment_undeliverable, notifications.queue
        ),
    }
