"""What the order service consumes and publishes: two tables. Published events go on in `services/chassis/outbox/relay.py`."""

from collections.abc import Callable
from typing import Any

from services.chassis import erasure
from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.order import domain, saga
from services.order.messages import documents as papers
from services.order.messages import facts
from services.order.usecases import advancing, invoicing
from souk.inventory.v1 import inventory_events_pb2
from souk.payment.v1 import payment_events_pb2
from souk.promotion.v1 import promotion_events_pb2
from souk.shipping.v1 import shipping_events_pb2
from souk.user.v1 import user_events_pb2

TOPIC = "orders"
CONSUMED = ("inventory", "payments", "promotions", "shipments", "users")


def _on_orders(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(TOPIC, lambda fact: fact.order.id, render_fact, sequence=lambda fact: fact.version)


PUBLISHED: outbox.Publications = {
    domain.OrderPlaced: _on_orders(facts.of_order_placed),
    domain.PaymentRequested: _on_orders(facts.of_payment_requested),
    domain.OrderConfirmed: _on_orders(facts.of_order_confirmed),
    domain.ShipmentsStopRequested: _on_orders(facts.of_stop_requested),
    domain.OrderCancelled: _on_orders(facts.of_order_cancelled),
    domain.OrderCancellationCompleted: _on_orders(facts.of_cancellation_completed),
}


def subscribers(
    orders: advancing.Advancing, documents: invoicing.Invoicing, erasing: erasure.Erasure
) -> reader.Subscribers:
    """Who handles what is consumed: replies carry orders on, money that moved makes documents due, accounts are erased."""
    replies: dict[Any, Callable[[Any], saga.Event | None]] = {
        inventory_events_pb2.StockReserved: facts.replied(saga.Reply.STOCK_RESERVED, saga.INVENTORY),
        inventory_events_pb2.StockRejected: facts.stock_rejected,
        inventory_events_pb2.StockReleased: facts.stock_released,
        inventory_events_pb2.StockCommitted: facts.replied(saga.Reply.STOCK_COMMITTED, saga.INVENTORY),
        promotion_events_pb2.CouponsRedeemed: facts.replied(saga.Reply.COUPONS_REDEEMED, saga.PROMOTION),
        promotion_events_pb2.CouponsRefused: facts.coupons_refused,
        promotion_events_pb2.CouponsReleased: facts.replied(saga.Reply.COUPONS_RELEASED, saga.PROMOTION),
        payment_events_pb2.PaymentAuthorized: facts.payment_authorized,
        payment_events_pb2.PaymentDeclined: facts.payment_refused(saga.Reply.PAYMENT_DECLINED),
        payment_events_pb2.PaymentCaptureRefused: facts.payment_refused(saga.Reply.PAYMENT_CAPTURE_REFUSED),
        payment_events_pb2.PaymentVoided: facts.replied(saga.Reply.PAYMENT_VOIDED, saga.PAYMENT),
        shipping_events_pb2.ShipmentCreated: facts.shipment_created,
        shipping_events_pb2.ShipmentHandedOver: facts.shipment_went_on(
            saga.Reply.SHIPMENT_HANDED_OVER, saga.Reply.SHIPMENTS_HANDED_OVER
        ),
        shipping_events_pb2.ShipmentDelivered: facts.shipment_went_on(
            saga.Reply.SHIPMENT_DELIVERED, saga.Reply.SHIPMENTS_DELIVERED
        ),
        shipping_events_pb2.ShipmentDeliveryFailed: facts.replied(saga.Reply.SHIPMENT_DELIVERY_FAILED, saga.SHIPPING),
        shipping_events_pb2.ShipmentUndeliverable: facts.shipment_undeliverable,
        shipping_events_pb2.ShipmentsStopped: facts.replied(saga.Reply.SHIPMENTS_STOPPED, saga.SHIPPING),
        shipping_events_pb2.StopRefused: facts.stop_refused,
    }
    money: dict[Any, Callable[[Any], invoicing.Settled]] = {
        payment_events_pb2.PaymentCaptured: lambda message: invoicing.Settled(*papers.payment_captured(message)),
        payment_events_pb2.PaymentRefunded: lambda message: invoicing.Settled(*papers.payment_refunded(message)),
        payment_events_pb2.PaymentPartlyRefunded: lambda message: invoicing.Settled(
            papers.payment_partly_refunded(message)
        ),
    }
    erased = {user_events_pb2.UserErased: reader.Subscriber(facts.erased, erasing.hear)}
    carried = {kind: reader.Subscriber(parse, orders.advance) for kind, parse in replies.items()}
    return carried | {kind: reader.Subscriber(parse, documents.settled) for kind, parse in money.items()} | erased
