"""Carts as messages of the contract, and confirmed orders as values of ours."""

from services.cart import domain
from services.chassis.rpc import render
from souk.cart.v1 import cart_pb2
from souk.order.v1 import order_events_pb2


def of_cart(cart: domain.Cart, place: domain.Place) -> cart_pb2.Cart:
    return cart_pb2.Cart(
        cart_id=place.id if place.is_guest else "",
        user_id="" if place.is_guest else place.id,
        lines=[
            cart_pb2.CartLine(sku=line.sku, quantity=line.quantity, add_time=render.timestamp(line.added))
            for line in cart.lines
        ],
        version=cart.version,
    )


def ordered(message: order_events_pb2.OrderConfirmed) -> domain.Ordered:
    """What an order took: it has one line for each SKU."""
    return domain.Ordered(message.order_id, message.user_id, {line.sku: line.quantity for line in message.lines})
