"""What search hears and says: it says nothing. Next stop: `usecases.py`."""

from services.chassis.events import reader
from services.search import usecases
from souk.catalog.v1 import catalog_events_pb2
from souk.inventory.v1 import inventory_events_pb2

CONSUMED = (
    "catalog",
    "inventory",
)


def subscribers(entries: usecases.Entries) -> reader.Subscribers:
    """Who handles what search consumes."""
    return {
        catalog_events_pb2.ProductChanged: reader.Subscriber(lambda message: str(message.product_id), entries.hear),
        inventory_events_pb2.StockReserved: reader.Subscriber(lambda message: str(message.order_id), entries.hear),
    }
