"""What shipping hears and says: two tables. Next stop of what is heard: `usecases/delivering.py`."""

from collections.abc import Callable
from typing import Any

from services.chassis import erasure
from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.shipping import messages
from services.shipping.domain import deliveries
from services.shipping.usecases import delivering
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2, return_events_pb2
from souk.user.v1 import user_events_pb2

TOPIC = "shipments"
CONSUMED = ("orders", "inventory", "users")


def _of_parcel(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(
        TOPIC, lambda fact: fact.parcel.order_id, render_fact, sequence=lambda fact: fact.parcel.version
    )


PUBLISHED: outbox.Publications = {
    deliveries.ShipmentCreated: _of_parcel(messages.of_created),
    deliveries.ShipmentHandedOver: _of_parcel(messages.of_handed_over),
    deliveries.ShipmentDelivered: _of_parcel(messages.of_delivered),
    deliveries.ShipmentDeliveryFailed: _of_parcel(messages.of_delivery_failed),
    deliveries.ShipmentUndeliverable: _of_parcel(messages.of_undeliverable),
    deliveries.ReturnLabelled: _of_parcel(messages.of_return_labelled),
    deliveries.ReturnArrived: _of_parcel(messages.of_return_arrived),
    deliveries.ReturnUndeliverable: _of_parcel(messages.of_return_undeliverable),
    deliveries.ShipmentsStopped: outbox.Publication(TOPIC, lambda fact: fact.order_id, messages.of_stopped),
    deliveries.StopRefused: outbox.Publication(TOPIC, lambda fact: fact.order_id, messages.of_stop_refused),
}


def subscribers(delivering: delivering.Delivering, erasing: erasure.Erasure) -> reader.Subscribers:
    """Who handles what shipping consumes: one use case for all that is about orders, so that a wave's rows are locked at once."""
    return {
        order_events_pb2.OrderConfirmed: reader.Subscriber(messages.confirmation, delivering.hear),
        order_events_pb2.ShipmentsStopRequested: reader.Subscriber(messages.stop_request, delivering.hear),
        order_events_pb2.OrderCancelled: reader.Subscriber(messages.cancellation, delivering.hear),
        inventory_events_pb2.StockCommitted: reader.Subscriber(messages.picks, delivering.hear),
        return_events_pb2.ReturnApproved: reader.Subscriber(messages.granted, delivering.hear),
        return_events_pb2.ReturnRejected: reader.Subscriber(messages.over, delivering.hear),
        return_events_pb2.ReturnReceived: reader.Subscriber(messages.over, delivering.hear),
        user_events_pb2.UserErased: reader.Subscriber(erasure.erased_user, erasing.hear),
    }
