"""What the order service consumes and publishes: two tables. Published events go on in `services/chassis/outbox/relay.py`."""

from collections.abc import Callable
from typing import Any

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.order import domain, rpc, saga
from services.order.usecases import advancing
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2
from souk.payment.v1 import payment_events_pb2

TOPIC = "orders"
CONSUMED = ("inventory", "payments")


def _placed(fact: domain.OrderPlaced) -> order_events_pb2.OrderPlaced:
    order = fact.order
    return order_events_pb2.OrderPlaced(
        order_id=order.id,
        user_id=order.user_id,
        lines=[order_events_pb2.OrderPlaced.Line(sku=line.sku, quantity=line.quantity) for line in order.lines],
        total=render.money_message(order.total),
        create_time=render.timestamp(order.create_time),
    )


def _payment_requested(fact: domain.PaymentRequested) -> order_events_pb2.PaymentRequested:
    order = fact.order
    return order_events_pb2.PaymentRequested(
        order_id=order.id,
        user_id=order.user_id,
        amount=render.money_message(order.total),
        payment_method=order.payment_method,
        request_time=render.timestamp(fact.time),
    )


def _confirmed(fact: domain.OrderConfirmed) -> order_events_pb2.OrderConfirmed:
    order = fact.order
    return order_events_pb2.OrderConfirmed(
        order_id=order.id,
        user_id=order.user_id,
        total=render.money_message(order.total),
        lines=[rpc.line_message(line) for line in order.lines],
        confirm_time=render.timestamp(fact.time),
    )


def _cancelled(fact: domain.OrderCancelled) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(
        order_id=fact.order.id,
        user_id=fact.order.user_id,
        reason=fact.reason,
        repeat=fact.repeat,
        total=render.money_message(fact.order.total),
    )


def _cancellation_completed(fact: domain.OrderCancellationCompleted) -> order_events_pb2.OrderCancellationCompleted:
    return order_events_pb2.OrderCancellationCompleted(
        order_id=fact.order.id, user_id=fact.order.user_id, reason=fact.reason
    )


def _on_orders(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(TOPIC, lambda fact: fact.order.id, render_fact, sequence=lambda fact: fact.version)


PUBLISHED: outbox.Publications = {
    domain.OrderPlaced: _on_orders(_placed),
    domain.PaymentRequested: _on_orders(_payment_requested),
    domain.OrderConfirmed: _on_orders(_confirmed),
    domain.OrderCancelled: _on_orders(_cancelled),
    domain.OrderCancellationCompleted: _on_orders(_cancellation_completed),
}


def _reply(reply: saga.Reply, actor: str) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(message.order_id, reply, actor)


def _rejected(message: inventory_events_pb2.StockRejected) -> saga.Event:
    shortages = tuple(domain.Shortage(s.sku, s.requested, s.available) for s in message.shortages)
    return saga.Event(message.order_id, saga.Reply.STOCK_REJECTED, saga.INVENTORY, shortages=shortages)


def _released(message: inventory_events_pb2.StockReleased) -> saga.Event:
    cause = inventory_events_pb2.StockReleased.Cause.Name(message.cause)
    return saga.Event(message.order_id, saga.Reply.STOCK_RELEASED, saga.INVENTORY, reason=cause)


def _authorized(message: payment_events_pb2.PaymentAuthorized) -> saga.Event:
    return saga.Event(message.order_id, saga.Reply.PAYMENT_AUTHORIZED, saga.PAYMENT, payment_id=message.payment_id)


def _refused(reply: saga.Reply) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(
        message.order_id, reply, saga.PAYMENT, reason=message.reason, payment_id=message.payment_id
    )


def subscribers(orders: advancing.Advancing) -> reader.Subscribers:
    """Who handles what the order service consumes: all of it carries an order on."""
    replies: dict[Any, Callable[[Any], saga.Event]] = {
        inventory_events_pb2.StockReserved: _reply(saga.Reply.STOCK_RESERVED, saga.INVENTORY),
        inventory_events_pb2.StockRejected: _rejected,
        inventory_events_pb2.StockReleased: _released,
        inventory_events_pb2.StockCommitted: _reply(saga.Reply.STOCK_COMMITTED, saga.INVENTORY),
        payment_events_pb2.PaymentAuthorized: _authorized,
        payment_events_pb2.PaymentDeclined: _refused(saga.Reply.PAYMENT_DECLINED),
        payment_events_pb2.PaymentCaptured: _reply(saga.Reply.PAYMENT_CAPTURED, saga.PAYMENT),
        payment_events_pb2.PaymentCaptureRefused: _refused(saga.Reply.PAYMENT_CAPTURE_REFUSED),
        payment_events_pb2.PaymentVoided: _reply(saga.Reply.PAYMENT_VOIDED, saga.PAYMENT),
        payment_events_pb2.PaymentRefunded: _reply(saga.Reply.PAYMENT_REFUNDED, saga.PAYMENT),
    }
    return {kind: reader.Subscriber(parse, orders.advance) for kind, parse in replies.items()}
