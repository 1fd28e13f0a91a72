"""What the catalog says; it hears nothing. Next stop: `services/chassis/relay.py`."""

from services.catalog import domain, rpc
from services.chassis import outbox
from souk.catalog.v1 import catalog_events_pb2

TOPIC = "catalog"


def _changed(fact: domain.ProductChanged) -> catalog_events_pb2.ProductChanged:
    return catalog_events_pb2.ProductChanged(product_id=fact.product.id, product=rpc.product_message(fact.product))


PUBLISHED: outbox.Publications = {
    domain.ProductChanged: outbox.Publication(
        TOPIC, lambda fact: fact.product.id, _changed, sequence=lambda fact: fact.product.version
    )
}
