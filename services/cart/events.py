"""What cart hears; it publishes nothing. Next stop: `usecases.py`."""

from services.cart import messages, usecases
from services.chassis.events import at_least_once
from souk.order.v1 import order_events_pb2

CONSUMED = ("orders",)


def subscribers(carts: usecases.Carts) -> at_least_once.Subscribers:
    """Who handles what cart consumes."""
    return {
        order_events_pb2.OrderConfirmed: at_least_once.Subscriber(messages.ordered, carts.take_out),
        order_events_pb2.OrderCancelled: at_least_once.Subscriber(messages.cancelled, carts.reopen),
    }
