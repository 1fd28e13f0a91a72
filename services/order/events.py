"""What the order service consumes and publishes: two tables. Published events go on in `services/chassis/outbox/relay.py`."""

from collections.abc import Callable
from typing import Any

from services.chassis import erasure
from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.order import domain, saga, usecases
from services.order.domain import returns
from services.order.messages import documents as papers
from services.order.messages import facts, returning
from services.order.usecases import invoicing
from souk.inventory.v1 import inventory_events_pb2
from souk.payment.v1 import payment_events_pb2
from souk.promotion.v1 import promotion_events_pb2
from souk.shipping.v1 import shipping_events_pb2
from souk.user.v1 import user_events_pb2

TOPIC = "orders"
CONSUMED = ("inventory", "payments", "promotions", "shipments", "users")


def _on_orders(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(TOPIC, lambda fact: fact.order.id, render_fact, sequence=lambda fact: fact.version)


def _of_return(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    """A return's events stand among its order's: they have the order's key, and the version of the return."""
    return outbox.Publication(
        TOPIC, lambda fact: fact.back.order_id, render_fact, sequence=lambda fact: fact.back.version
    )


PUBLISHED: outbox.Publications = {
    domain.OrderPlaced: _on_orders(facts.of_order_placed),
    domain.PaymentRequested: _on_orders(facts.of_payment_requested),
    domain.OrderConfirmed: _on_orders(facts.of_order_confirmed),
    domain.ShipmentsStopRequested: _on_orders(facts.of_stop_requested),
    domain.OrderCancelled: _on_orders(facts.of_order_cancelled),
    domain.OrderCancellationCompleted: _on_orders(facts.of_cancellation_completed),
    returns.ReturnRequested: _of_return(returning.of_requested),
    returns.ReturnApproved: _of_return(returning.of_approved),
    returns.ReturnRejected: _of_return(returning.of_rejected),
    returns.ReturnReceived: _of_return(returning.of_received),
    returns.ReturnInspected: _of_return(returning.of_inspected),
    returns.ReturnRefunded: _of_return(returning.of_refunded),
}


def subscribers(orders: usecases.Orders, erasing: erasure.Erasure) -> reader.Subscribers:
    """Who handles what is consumed: replies carry orders on, money that moved makes documents due, refunds settle returns."""
    replies: dict[Any, Callable[[Any], saga.Event | None]] = {
        inventory_events_pb2.StockReserved: facts.replied(saga.Reply.STOCK_RESERVED, saga.INVENTORY),
        inventory_events_pb2.StockRejected: facts.stock_rejected,
        inventory_events_pb2.StockReleased: facts.stock_released,
        inventory_events_pb2.StockCommitted: facts.replied(saga.Reply.STOCK_COMMITTED, saga.INVENTORY),
        promotion_events_pb2.CouponsRedeemed: facts.replied(saga.Reply.COUPONS_REDEEMED, saga.PROMOTION),
        promotion_events_pb2.CouponsRefused: facts.coupons_refused,
        promotion_events_pb2.CouponsReleased: facts.replied(saga.Reply.COUPONS_RELEASED, saga.PROMOTION),
        payment_events_pb2.PaymentActionRequired: facts.payment_said(saga.Reply.PAYMENT_ACTION_REQUIRED),
        payment_events_pb2.PaymentAuthorized: facts.payment_said(saga.Reply.PAYMENT_AUTHORIZED),
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
    advance = orders.advancing.advance
    others = {
        payment_events_pb2.ReturnRefundSettled: reader.Subscriber(returning.refund_settled, orders.returning.settle),
        user_events_pb2.UserErased: reader.Subscriber(erasure.erased_user, erasing.hear),
    }
    settled = {kind: reader.Subscriber(parse, orders.invoicing.settled) for kind, parse in money.items()}
    return {kind: reader.Subscriber(parse, advance) for kind, parse in replies.items()} | settled | others
