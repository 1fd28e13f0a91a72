"""What the catalog says, and that it listens to itself. Next stop: `services/chassis/relay.py`.

Its own events come back to it so that its caches forget what changed, whoever changed it and however that process ended.
"""

import uuid

from services.catalog import domain, rpc, usecases
from services.chassis import events, outbox
from services.chassis.rpc import render
from souk.catalog.v1 import catalog_events_pb2

TOPIC = "catalog"
CONSUMED = (TOPIC,)


def _changed(fact: domain.ProductChanged) -> catalog_events_pb2.ProductChanged:
    return catalog_events_pb2.ProductChanged(product_id=fact.product.id, product=rpc.product_message(fact.product))


def _deleted(fact: domain.ProductDeleted) -> catalog_events_pb2.ProductDeleted:
    product = fact.product
    return catalog_events_pb2.ProductDeleted(
        product_id=product.id,
        skus=[variant.sku for variant in product.variants],
        version=product.version,
        delete_time=render.timestamp(product.update_time),
    )


PUBLISHED: outbox.Publications = {
    domain.ProductChanged: outbox.Publication(
        TOPIC, lambda fact: fact.product.id, _changed, sequence=lambda fact: fact.product.version
    ),
    domain.ProductDeleted: outbox.Publication(
        TOPIC, lambda fact: fact.product.id, _deleted, sequence=lambda fact: fact.product.version
    ),
}


def _product_id(message: catalog_events_pb2.ProductChanged | catalog_events_pb2.ProductDeleted) -> str:
    return str(uuid.UUID(message.product_id))


def subscribers(catalog: usecases.Catalog) -> events.Subscribers:
    """Who handles what the catalog consumes."""
    forget = events.Subscriber(_product_id, prepare=catalog.forget_changed)
    return {catalog_events_pb2.ProductChanged: forget, catalog_events_pb2.ProductDeleted: forget}
