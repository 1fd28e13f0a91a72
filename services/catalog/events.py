"""What the catalog says, and that it listens to itself and to orders. Next stop: `services/chassis/outbox/relay.py`.

Its own events come back to it so that its caches forget what changed, whoever changed it and however that process ended. Of
orders it hears what was sold, and of promotion what is cheaper for a while (`usecases/pricing.py`).
"""

from services.catalog import domain, messages, usecases
from services.catalog.messages import popularity
from services.chassis.events import reader
from services.chassis.outbox import outbox
from souk.catalog.v1 import catalog_events_pb2
from souk.order.v1 import order_events_pb2
from souk.promotion.v1 import promotion_events_pb2

TOPIC = "catalog"
CONSUMED = (TOPIC, "orders", "promotions")


PUBLISHED: outbox.Publications = {
    domain.ProductChanged: outbox.Publication(
        TOPIC, lambda fact: fact.product.id, messages.of_product_changed, sequence=lambda fact: fact.product.version
    ),
    domain.ProductDeleted: outbox.Publication(
        TOPIC, lambda fact: fact.product.id, messages.of_product_deleted, sequence=lambda fact: fact.product.version
    ),
}


def subscribers(catalog: usecases.Catalog) -> reader.Subscribers:
    """Who handles what the catalog consumes."""
    forget = reader.Subscriber(messages.product_id, prepare=catalog.forget_changed)
    schedule = reader.Subscriber(messages.scheduled, catalog.pricing.hear)
    return {
        catalog_events_pb2.ProductChanged: forget,
        catalog_events_pb2.ProductDeleted: forget,
        order_events_pb2.OrderConfirmed: reader.Subscriber(popularity.sold, catalog.popularity.count),
        promotion_events_pb2.PromotionalPriceScheduled: schedule,
        promotion_events_pb2.PromotionalPriceWithdrawn: schedule,
    }
