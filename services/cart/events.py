"""What cart hears and says: it says nothing. Next stop: `usecases.py`."""

from services.cart import usecases
from services.chassis.events import at_least_once
from souk.order.v1 import order_events_pb2

CONSUMED = ("orders",)


def subscribers(entries: usecases.Entries) -> at_least_once.Subscribers:
    """Who handles what cart consumes."""
    return {
        order_events_pb2.OrderPlaced: at_least_once.Subscriber(lambda message: str(message.order_id), entries.hear),
    }
