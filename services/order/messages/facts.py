"""Orders and events of the contract: what order publishes, and what the replies that it consumes say to its saga."""

from collections.abc import Callable
from typing import Any

from services.chassis import money
from services.chassis.rpc import render
from services.order import domain, messages, saga
from services.order.domain import refunds
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2
from souk.promotion.v1 import promotion_events_pb2, promotion_pb2
from souk.shipping.v1 import rates_pb2, shipping_events_pb2


def of_order_placed(fact: domain.OrderPlaced) -> order_events_pb2.OrderPlaced:
    order = fact.order
    there = order.address
    return order_events_pb2.OrderPlaced(
        order_id=order.id,
        user_id=order.user_id,
        lines=[order_events_pb2.OrderPlaced.Line(sku=line.sku, quantity=line.quantity) for line in order.lines],
        total=render.money_message(order.total),
        create_time=render.timestamp(order.create_time),
        redemptions=[_redemption(discount, order.total.currency) for discount in order.redemptions],
        ship_to=order_events_pb2.OrderPlaced.Destination(country=there.country, region=there.region),
    )


def _redemption(discount: domain.Discount, currency: str) -> order_events_pb2.OrderPlaced.Redemption:
    said = order_events_pb2.OrderPlaced.Redemption
    return said(
        promotion_id=discount.promotion_id,
        promotion_version=discount.claims,
        code=discount.code,
        discount=render.money_message(money.Money(currency, discount.amount)),
        lines=[
            said.LineDiscount(sku=sku, amount=render.money_message(money.Money(currency, amount)))
            for sku, amount in sorted(discount.lines.items())
        ],
    )


def of_payment_requested(fact: domain.PaymentRequested) -> order_events_pb2.PaymentRequested:
    order = fact.order
    return order_events_pb2.PaymentRequested(
        order_id=order.id,
        user_id=order.user_id,
        amount=render.money_message(order.total),
        payment_method=order.payment_method,
        request_time=render.timestamp(fact.time),
        shares=[_share(order, vendor_id, amount) for vendor_id, amount in refunds.shares(order).items()],
    )


def _share(order: domain.Order, vendor_id: str, amount: int) -> order_events_pb2.PaymentRequested.Share:
    part = render.money_message(money.Money(order.total.currency, amount))
    return order_events_pb2.PaymentRequested.Share(vendor_id=vendor_id, amount=part)


def of_order_confirmed(fact: domain.OrderConfirmed) -> order_events_pb2.OrderConfirmed:
    order = fact.order
    return order_events_pb2.OrderConfirmed(
        order_id=order.id,
        user_id=order.user_id,
        total=render.money_message(order.total),
        lines=[messages.of_line(line, taxes_included=order.taxes_included) for line in order.lines],
        confirm_time=render.timestamp(fact.time),
        redeems=bool(order.redemptions),
        coupon_codes=[discount.code for discount in order.discounts if discount.code],
        shipping_address=messages.of_address(order.address),
        service_level=rates_pb2.ServiceLevel.Value(order.service_level),
        vendors={line.sku: line.vendor_id for line in order.lines if line.vendor_id},
    )


def of_stop_requested(fact: domain.ShipmentsStopRequested) -> order_events_pb2.ShipmentsStopRequested:
    return order_events_pb2.ShipmentsStopRequested(order_id=fact.order.id, user_id=fact.order.user_id)


def of_order_cancelled(fact: domain.OrderCancelled) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(
        order_id=fact.order.id,
        user_id=fact.order.user_id,
        reason=fact.reason,
        repeat=fact.repeat,
        total=render.money_message(fact.order.total),
        redeems=bool(fact.order.redemptions),
    )


def of_cancellation_completed(fact: domain.OrderCancellationCompleted) -> order_events_pb2.OrderCancellationCompleted:
    return order_events_pb2.OrderCancellationCompleted(
        order_id=fact.order.id, user_id=fact.order.user_id, reason=fact.reason
    )


def replied(reply: saga.Reply, actor: str) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(message.order_id, reply, actor)


def stock_rejected(message: inventory_events_pb2.StockRejected) -> saga.Event:
    shortages = tuple(domain.Shortage(s.sku, s.requested, s.available) for s in message.shortages)
    return saga.Event(message.order_id, saga.Reply.STOCK_REJECTED, saga.INVENTORY, shortages=shortages)


def stock_released(message: inventory_events_pb2.StockReleased) -> saga.Event:
    cause = inventory_events_pb2.StockReleased.Cause.Name(message.cause)
    return saga.Event(message.order_id, saga.Reply.STOCK_RELEASED, saga.INVENTORY, reason=cause)


def shipment_created(message: shipping_events_pb2.ShipmentCreated) -> saga.Event | None:
    """Nothing of the order's goes on until all of its parcels are opened."""
    return saga.Event(message.order_id, saga.Reply.SHIPMENTS_CREATED, saga.SHIPPING) if message.complete else None


def shipment_went_on(one: saga.Reply, all_of_them: saga.Reply) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(message.order_id, all_of_them if message.complete else one, saga.SHIPPING)


def shipment_undeliverable(message: shipping_events_pb2.ShipmentUndeliverable) -> saga.Event:
    cause = shipping_events_pb2.ShipmentUndeliverable.Cause.Name(message.cause)
    return saga.Event(message.order_id, saga.Reply.SHIPMENT_UNDELIVERABLE, saga.SHIPPING, reason=cause)


def stop_refused(message: shipping_events_pb2.StopRefused) -> saga.Event:
    return saga.Event(message.order_id, saga.Reply.STOP_REFUSED, saga.SHIPPING, reason=message.reason)


def coupons_refused(message: promotion_events_pb2.CouponsRefused) -> saga.Event:
    # The reason of the first stands in the history; the contract names one at least.
    reason = promotion_pb2.Refusal.Name(message.refused[0].reason) if message.refused else ""
    return saga.Event(message.order_id, saga.Reply.COUPONS_REFUSED, saga.PROMOTION, reason=reason)


def payment_said(reply: saga.Reply) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(message.order_id, reply, saga.PAYMENT, payment_id=message.payment_id)


def payment_refused(reply: saga.Reply) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(
        message.order_id, reply, saga.PAYMENT, reason=message.reason, payment_id=message.payment_id
    )
