"""Carts as messages of the contract, and confirmed orders as values of ours."""

import hashlib

from google.type import money_pb2

from services.cart import domain
from services.chassis import ids, money
from services.chassis.rpc import render
from souk.cart.v1 import cart_pb2, cart_service_pb2
from souk.order.v1 import order_events_pb2, order_service_pb2
from souk.type.v1 import address_pb2

_ADDRESS = ("recipient", "line1", "line2", "city", "region", "postal_code", "country")


def of_cart(shown: domain.Shown, place: domain.Place) -> cart_pb2.Cart:
    return cart_pb2.Cart(
        cart_id=place.id if place.is_guest else "",
        user_id="" if place.is_guest else place.id,
        lines=[_of_line(shown, line) for line in shown.cart.lines],
        saved=[_of_line(shown, line) for line in shown.cart.saved],
        version=shown.cart.version,
        total=_of_money(shown.total),
        without_prices=shown.offers is None,
        without_stock=shown.stock is None,
        order_id=_order_id(shown.cart),
    )


def _of_line(shown: domain.Shown, line: domain.Line) -> cart_pb2.CartLine:
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
    )


def _of_money(amount: money.Money | None) -> money_pb2.Money | None:
    return render.money_message(amount) if amount else None


def ordered(message: order_events_pb2.OrderConfirmed) -> domain.Ordered:
    """What an order took: it has one line for each SKU."""
    units = {line.sku: line.quantity for line in message.lines}
    return domain.Ordered(message.order_id, message.user_id, units, ids.moment(message.order_id))


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
    )


def of_checkout(checkout: domain.Checkout, agreed: domain.Terms) -> order_service_pb2.CreateOrderRequest:
    item = order_service_pb2.CreateOrderRequest.Item
    return order_service_pb2.CreateOrderRequest(
        items=[item(sku=line.sku, quantity=line.quantity) for line in checkout.lines],
        shipping_address=address_pb2.Address(**{name: getattr(agreed.address, name) for name in _ADDRESS}),
        payment_method=agreed.payment_method,
        request_id=checkout.request_id,
        expected_total=_of_money(agreed.expected_total),
        coupon_codes=agreed.coupon_codes,
    )


def of_order(order: domain.Order) -> cart_service_pb2.CheckoutCartResponse:
    return cart_service_pb2.CheckoutCartResponse(order_id=order.id, total=render.money_message(order.total))


def _order_id(cart: domain.Cart) -> str:
    known = domain.checkout_of(cart, cart.version)
    return known.order.id if known and known.order else ""
