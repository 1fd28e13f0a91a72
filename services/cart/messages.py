"""Carts as messages of the contract, and confirmed orders as values of ours."""

from google.type import money_pb2

from services.cart import domain
from services.chassis import money
from services.chassis.rpc import render
from souk.cart.v1 import cart_pb2
from souk.order.v1 import order_events_pb2


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
    return domain.Ordered(message.order_id, message.user_id, {line.sku: line.quantity for line in message.lines})
