"""Orders and messages of the contract: `of_order` renders one, `draft` parses one, the rest are events of either way."""

from collections.abc import Callable, Sequence
from typing import Any

from services.chassis import idempotency, money
from services.chassis.rpc import render
from services.order import domain, saga
from services.order.domain import rates
from souk.inventory.v1 import inventory_events_pb2, stock_pb2
from souk.order.v1 import order_events_pb2, order_pb2, order_service_pb2
from souk.payment.v1 import payment_events_pb2
from souk.promotion.v1 import promotion_events_pb2, promotion_pb2
from souk.shipping.v1 import rates_pb2, shipping_events_pb2
from souk.type.v1 import address_pb2

_ADDRESS = ("recipient", "line1", "line2", "city", "region", "postal_code", "country")


def draft(request: order_service_pb2.CreateOrderRequest, user_id: str) -> domain.Draft:
    expected = request.expected_total if request.HasField("expected_total") else None
    return domain.Draft(
        basket=basket(request, user_id),
        payment_method=request.payment_method,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
        expected_total=render.money_sent("expected_total", expected) if expected else None,
    )


def basket(
    request: order_service_pb2.CreateOrderRequest | order_service_pb2.QuoteOrderRequest, user_id: str
) -> domain.Basket:
    address = request.shipping_address
    return domain.Basket(
        user_id=user_id,
        items=tuple(domain.Item(item.sku, item.quantity) for item in request.items),
        address=domain.Address(*(getattr(address, name) for name in _ADDRESS)),
        coupon_codes=tuple(request.coupon_codes),
        service_level=_level(request),
    )


def _level(
    request: order_service_pb2.CreateOrderRequest
    | order_service_pb2.QuoteOrderRequest
    | order_service_pb2.QuoteCartRequest,
) -> str:
    return rates_pb2.ServiceLevel.Name(request.service_level or rates_pb2.STANDARD)


def of_quote(quote: domain.Quote) -> order_service_pb2.QuoteOrderResponse:
    return order_service_pb2.QuoteOrderResponse(
        lines=[of_line(line, taxes_included=quote.totals.taxes_included) for line in quote.lines],
        totals=of_totals(quote.totals),
        discounts=[_discount(discount, quote.totals.total.currency) for discount in quote.discounts],
        coupons=[_coupon(coupon) for coupon in quote.coupons],
    )


def cart(request: order_service_pb2.QuoteCartRequest) -> domain.Basket:
    return domain.Basket(
        user_id=request.user_id.lower(),
        items=tuple(domain.Item(item.sku, item.quantity) for item in request.items),
        address=domain.Address("", "", "", "", request.region, "", request.country),
        coupon_codes=tuple(request.coupon_codes),
        service_level=_level(request),
    )


def of_cart_quote(quote: domain.Quote | None, *, shipped: bool) -> order_service_pb2.QuoteCartResponse:
    """The quote of a cart: without shipping and taxes unless it is known where it is shipped to."""
    if quote is None:
        return order_service_pb2.QuoteCartResponse()
    totals = of_totals(quote.totals)
    if not shipped:
        totals.ClearField("shipping")
        totals.ClearField("taxes")
    line = order_service_pb2.QuoteCartResponse.Line
    return order_service_pb2.QuoteCartResponse(
        lines=[
            line(sku=one.sku, discount=render.money_message(one.in_currency(one.charges.discount)))
            for one in quote.lines
        ],
        totals=totals,
        discounts=[_discount(discount, quote.totals.total.currency) for discount in quote.discounts],
        coupons=[_coupon(coupon) for coupon in quote.coupons],
    )


def _discount(discount: domain.Discount, currency: str) -> order_pb2.Discount:
    amount = render.money_message(money.Money(currency, discount.amount))
    return order_pb2.Discount(
        promotion_id=discount.promotion_id, title=discount.title, code=discount.code, amount=amount
    )


def _coupon(coupon: domain.Coupon) -> order_service_pb2.QuoteOrderResponse.Coupon:
    if not coupon.refusal:
        return order_service_pb2.QuoteOrderResponse.Coupon(code=coupon.code, applied=True)
    refusal = promotion_pb2.Refusal.Value(coupon.refusal)
    return order_service_pb2.QuoteOrderResponse.Coupon(code=coupon.code, refusal=refusal, message=coupon.message)


def of_order(placed: domain.Placed) -> order_pb2.Order:
    order, saga = placed.order, placed.saga
    return order_pb2.Order(
        id=order.id,
        user_id=order.user_id,
        status=order_pb2.Order.Status.Value(saga.status),
        saga_id=saga.id,
        total=render.money_message(order.total),
        totals=of_totals(order.totals),
        lines=[of_line(line, taxes_included=order.taxes_included) for line in order.lines],
        shipping_address=_address(order.address),
        payment_id=saga.payment_id,
        cancel_reason=saga.cancel_reason,
        shortages=[stock_pb2.Shortage(sku=s.sku, requested=s.requested, available=s.available) for s in saga.shortages],
        create_time=render.timestamp(order.create_time),
        update_time=render.timestamp(saga.update_time),
        version=saga.version,
        discounts=[_discount(discount, order.total.currency) for discount in order.discounts],
        service_level=rates_pb2.ServiceLevel.Value(order.service_level),
    )


def _address(address: domain.Address) -> address_pb2.Address:
    return address_pb2.Address(**{name: getattr(address, name) for name in _ADDRESS})


def of_totals(totals: domain.Totals) -> order_pb2.Totals:
    return order_pb2.Totals(
        items=render.money_message(totals.items),
        discounts=render.money_message(totals.discounts),
        shipping=render.money_message(totals.shipping),
        taxes=render.money_message(totals.taxes),
        taxes_included=totals.taxes_included,
        total=render.money_message(totals.total),
    )


def of_line(line: domain.Line, *, taxes_included: bool) -> order_pb2.OrderLine:
    return order_pb2.OrderLine(
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price=render.money_message(line.unit_price),
        total=render.money_message(line.total),
        discount=render.money_message(line.in_currency(line.charges.discount)),
        shipping=render.money_message(line.in_currency(line.charges.shipping)),
        tax=render.money_message(line.in_currency(line.charges.tax)),
        tax_rate=rates.per_cent(line.charges.tax_rate),
        payable=render.money_message(line.payable(taxes_included=taxes_included)),
    )


def of_status(placed: domain.Placed, history: Sequence[domain.HistoryEntry]) -> order_service_pb2.OrderStatus:
    saga = placed.saga
    return order_service_pb2.OrderStatus(
        id=placed.order.id,
        status=order_pb2.Order.Status.Value(saga.status),
        saga=order_pb2.Saga(
            id=saga.id,
            definition_version=saga.definition_version,
            step=order_pb2.Saga.Step.Value(saga.step),
            awaiting=sorted(saga.awaiting),
            deadline=render.timestamp(saga.deadline) if saga.deadline else None,
            attempts=saga.attempts,
            stuck=saga.stuck,
        ),
        timeline=[of_entry(entry) for entry in history],
    )


def of_entry(entry: domain.HistoryEntry) -> order_pb2.OrderEvent:
    return order_pb2.OrderEvent(
        sequence=entry.sequence,
        status=order_pb2.Order.Status.Value(entry.status),
        event=entry.event,
        reason=entry.reason,
        actor=entry.actor,
        time=render.timestamp(entry.time),
    )


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
    )


def of_order_confirmed(fact: domain.OrderConfirmed) -> order_events_pb2.OrderConfirmed:
    order = fact.order
    return order_events_pb2.OrderConfirmed(
        order_id=order.id,
        user_id=order.user_id,
        total=render.money_message(order.total),
        lines=[of_line(line, taxes_included=order.taxes_included) for line in order.lines],
        confirm_time=render.timestamp(fact.time),
        redeems=bool(order.redemptions),
        coupon_codes=[discount.code for discount in order.discounts if discount.code],
        shipping_address=_address(order.address),
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


def payment_authorized(message: payment_events_pb2.PaymentAuthorized) -> saga.Event:
    return saga.Event(message.order_id, saga.Reply.PAYMENT_AUTHORIZED, saga.PAYMENT, payment_id=message.payment_id)


def payment_refused(reply: saga.Reply) -> Callable[[Any], saga.Event]:
    return lambda message: saga.Event(
        message.order_id, reply, saga.PAYMENT, reason=message.reason, payment_id=message.payment_id
    )
