"""What search hears: products and their stock. It says nothing. Next stop: `usecases.py`."""

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.search import messages, usecases
from souk.catalog.v1 import catalog_events_pb2
from souk.inventory.v1 import inventory_events_pb2

CONSUMED = ("catalog", "inventory")
PUBLISHED: outbox.Publications = {}


def subscribers(index: usecases.Index) -> reader.Subscribers:
    """Who handles what search consumes: one use case for all of it, so that a wave's rows are locked at once."""
    return {
        catalog_events_pb2.ProductChanged: reader.Subscriber(messages.changed, index.hear),
        catalog_events_pb2.ProductDeleted: reader.Subscriber(messages.deleted, index.hear),
        inventory_events_pb2.StockLevelChanged: reader.Subscriber(messages.level_changed, index.hear),
    }
