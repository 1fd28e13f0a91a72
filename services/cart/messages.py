"""Carts as messages of the contract, and orders as values of ours."""

import hashlib
from collections.abc import Sequence
from typing import Any

from google.type import money_pb2

from services.cart import domain
from services.chassis import ids, money
from services.chassis.rpc import render
from souk.cart.v1 import cart_events_pb2, cart_pb2, cart_service_pb2
from souk.order.v1 import order_events_pb2, order_pb2, order_service_pb2
from souk.promotion.v1 import promotion_pb2
from souk.shipping.v1 import rates_pb2
from souk.type.v1 import address_pb2

_ADDRESS = ("recipient", "line1", "line2", "city", "region", "postal_code", "country")


def of_cart(shown: domain.Shown, place: domain.Place) -> cart_pb2.Cart:
    return cart_pb2.Cart(
        cart_id=place.id if place.is_guest else "",
        user_id="" if place.is_guest else place.id,
        lines=[_of_line(shown, line, shown.discount(line)) for line in shown.cart.lines],
        saved=[_of_line(shown, line) for line in shown.cart.saved],
        version=shown.cart.version,
        total=_of_money(shown.total),
        without_prices=shown.offers is None,
        without_stock=shown.stock is None,
        order_id=_order_id(shown.cart),
        coupons=[_of_coupon(coupon.code, shown.verdict(coupon)) for coupon in shown.cart.coupons],
        without_totals=shown.quote is None,
        **_of_quote(shown.quote or domain.NOTHING),
    )


def _of_quote(quote: domain.Quote) -> dict[str, Any]:
    return {
        "totals": _of_totals(quote.totals) if quote.totals else None,
        "discounts": [_of_discount(discount) for discount in quote.discounts],
        "refusal": quote.refusal,
    }


def _of_totals(totals: domain.Totals) -> order_pb2.Totals:
    return order_pb2.Totals(
        items=_of_money(totals.items),
        discounts=_of_money(totals.discounts),
        shipping=_of_money(totals.shipping),
        taxes=_of_money(totals.taxes),
        taxes_included=totals.taxes_included,
        total=_of_money(totals.total),
    )


def _of_discount(discount: domain.Discount) -> order_pb2.Discount:
    return order_pb2.Discount(
        promotion_id=discount.promotion_id,
        title=discount.title,
        code=discount.code,
        amount=_of_money(discount.amount),
    )


def _of_coupon(code: str, verdict: domain.Verdict | None) -> cart_pb2.CartCoupon:
    if verdict is None:
        return cart_pb2.CartCoupon(code=code)
    if not verdict.refusal:
        return cart_pb2.CartCoupon(code=code, applied=True)
    refusal = promotion_pb2.Refusal.Value(verdict.refusal)
    return cart_pb2.CartCoupon(code=code, refusal=refusal, message=verdict.message)


def _of_line(shown: domain.Shown, line: domain.Line, discount: money.Money | None = None) -> cart_pb2.CartLine:
    offer = shown.offer(line)
    return cart_pb2.CartLine(
        sku=line.sku,
        quantity=line.quantity,
        add_time=render.timestamp(line.added),
        title=offer.title if offer else "",
        product_id=offer.product_id if offer else "",
        unit_price=_of_money(offer.price if offer else None),
        total=_of_money(offer.price * line.quantity if offer else None),
        price_when_added=_of_money(line.price),
        available=shown.available(line),
        changes=[cart_pb2.CartLine.Change.Value(change) for change in shown.changes(line)],
        discount=_of_money(discount),
    )


def _of_money(amount: money.Money | None) -> money_pb2.Money | None:
    return render.money_message(amount) if amount else None


def destination(request: cart_service_pb2.GetCartRequest | cart_service_pb2.GetGuestCartRequest) -> domain.Destination:
    return domain.Destination(request.country, request.region, _level(request.service_level))


def of_question(question: domain.Question) -> order_service_pb2.QuoteCartRequest:
    return order_service_pb2.QuoteCartRequest(
        items=_items(question.lines),
        coupon_codes=question.codes,
        user_id=question.user_id,
        country=question.destination.country,
        region=question.destination.region,
        service_level=_of_level(question.destination.service_level),
    )


def _level(said: rates_pb2.ServiceLevel.ValueType) -> str:
    return rates_pb2.ServiceLevel.Name(said) if said else ""


def _of_level(level: str) -> rates_pb2.ServiceLevel.ValueType:
    return rates_pb2.ServiceLevel.Value(level) if level else rates_pb2.SERVICE_LEVEL_UNSPECIFIED


def quote(message: order_service_pb2.QuoteCartResponse) -> domain.Quote:
    return domain.Quote(
        totals=_totals(message.totals) if message.HasField("totals") else None,
        off={line.sku: render.money_value(line.discount) for line in message.lines},
        discounts=tuple(
            domain.Discount(one.promotion_id, one.title, one.code, render.money_value(one.amount))
            for one in message.discounts
        ),
        verdicts={coupon.code: _verdict(coupon) for coupon in message.coupons},
    )


def _totals(message: order_pb2.Totals) -> domain.Totals:
    return domain.Totals(
        items=render.money_value(message.items),
        discounts=render.money_value(message.discounts),
        shipping=render.money_value(message.shipping) if message.HasField("shipping") else None,
        taxes=render.money_value(message.taxes) if message.HasField("taxes") else None,
        taxes_included=message.taxes_included,
        total=render.money_value(message.total),
    )


def _verdict(message: order_service_pb2.QuoteOrderResponse.Coupon) -> domain.Verdict:
    if message.applied:
        return domain.Verdict()
    return domain.Verdict(promotion_pb2.Refusal.Name(message.refusal), message.message)


def of_abandoned(event: domain.CartAbandoned) -> cart_events_pb2.CartAbandoned:
    return cart_events_pb2.CartAbandoned(
        user_id=event.user_id,
        abandonment_id=event.id,
        lines=[
            cart_events_pb2.CartAbandoned.Line(
                sku=line.offer.sku,
                title=line.offer.title,
                quantity=line.quantity,
                unit_price=_of_money(line.offer.price),
                total=_of_money(line.total),
            )
            for line in event.lines
        ],
        total=_of_money(event.total),
        touch_time=render.timestamp(event.touched),
    )


def ordered(message: order_events_pb2.OrderConfirmed) -> domain.Ordered:
    """What an order took: it has one line for each SKU."""
    units = {line.sku: line.quantity for line in message.lines}
    codes = frozenset(message.coupon_codes)
    return domain.Ordered(message.order_id, message.user_id, units, ids.moment(message.order_id), codes)


def cancelled(message: order_events_pb2.OrderCancelled) -> domain.Cancelled:
    return domain.Cancelled(message.order_id, message.user_id)


def terms(request: cart_service_pb2.CheckoutCartRequest) -> domain.Terms:
    expected = request.expected_total if request.HasField("expected_total") else None
    return domain.Terms(
        address=domain.Address(*(getattr(request.shipping_address, name) for name in _ADDRESS)),
        payment_method=request.payment_method,
        expected_total=render.money_sent("expected_total", expected) if expected else None,
        fingerprint=hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest(),
        coupon_codes=tuple(request.coupon_codes),
        service_level=_level(request.service_level),
        saved_payment_method=request.saved_payment_method,
    )


def of_checkout(checkout: domain.Checkout, agreed: domain.Terms) -> order_service_pb2.CreateOrderRequest:
    return order_service_pb2.CreateOrderRequest(
        items=_items(checkout.lines),
        shipping_address=address_pb2.Address(**{name: getattr(agreed.address, name) for name in _ADDRESS}),
        payment_method=agreed.payment_method,
        request_id=checkout.request_id,
        expected_total=_of_money(agreed.expected_total),
        coupon_codes=[code for code, _ in domain.codes_to_use(checkout, agreed)],
        service_level=_of_level(agreed.service_level),
        saved_payment_method=agreed.saved_payment_method,
    )


def _items(lines: domain.Lines) -> list[order_service_pb2.CreateOrderRequest.Item]:
    item = order_service_pb2.CreateOrderRequest.Item
    return [item(sku=line.sku, quantity=line.quantity) for line in lines]


def of_order(order: domain.Order) -> cart_service_pb2.CheckoutCartResponse:
    return cart_service_pb2.CheckoutCartResponse(order_id=order.id, total=render.money_message(order.total))


def past_order(message: order_pb2.Order) -> domain.PastOrder:
    lines = tuple(domain.PastLine(line.sku, line.title, line.quantity) for line in message.lines)
    return domain.PastOrder(message.id, message.user_id, lines)


def of_reordered(cart: cart_pb2.Cart, left_out: Sequence[domain.LeftOut]) -> cart_service_pb2.ReorderResponse:
    return cart_service_pb2.ReorderResponse(cart=cart, left_out=[_of_left_out(one) for one in left_out])


def _of_left_out(left_out: domain.LeftOut) -> cart_service_pb2.ReorderResponse.LeftOut:
    line = left_out.line
    reason = cart_service_pb2.ReorderResponse.LeftOut.Reason.Value(left_out.obstacle)
    return cart_service_pb2.ReorderResponse.LeftOut(
        sku=line.sku, title=line.title, quantity=line.quantity, reason=reason
    )


def _order_id(cart: domain.Cart) -> str:
    known = domain.checkout_of(cart, cart.version)
    return known.order.id if known and known.order else ""
