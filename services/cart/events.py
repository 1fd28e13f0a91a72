"""What cart hears and tells: two tables. Next stop: `usecases/`."""

from services.cart import domain, messages, usecases
from services.chassis import erasure
from services.chassis.events import at_least_once
from services.chassis.outbox import outbox
from souk.order.v1 import order_events_pb2
from souk.user.v1 import user_events_pb2

CONSUMED = ("orders", "users")

PUBLISHED: outbox.Publications = {
    domain.CartAbandoned: outbox.Publication("carts", lambda event: str(event.user_id), messages.of_abandoned),
}


def subscribers(carts: usecases.Carts) -> at_least_once.Subscribers:
    """Who handles what cart consumes."""
    return {
        order_events_pb2.OrderConfirmed: at_least_once.Subscriber(messages.ordered, carts.take_out),
        order_events_pb2.OrderCancelled: at_least_once.Subscriber(messages.cancelled, carts.reopen),
        user_events_pb2.UserErased: at_least_once.Subscriber(erasure.erased_user, carts.forget),
    }
