"""What promotion hears and says. Next stop: `usecases.py`."""

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.promotion import domain, messages, usecases
from souk.order.v1 import order_events_pb2

TOPIC = "promotions"
CONSUMED = ("orders",)


PUBLISHED: outbox.Publications = {
    domain.EntryChanged: outbox.Publication(
        TOPIC, lambda fact: fact.entry.user_id, messages.of_entry_changed, sequence=lambda fact: fact.entry.version
    ),
}


def subscribers(entries: usecases.Entries) -> reader.Subscribers:
    """Who handles what promotion consumes."""
    return {
        order_events_pb2.OrderPlaced: reader.Subscriber(lambda message: str(message.order_id), entries.hear),
    }
