"""What others are told of parcels that moved, and the alarm about those that will not arrive."""

import logging
from collections.abc import Iterator, Mapping, Sequence

from services.chassis import metrics
from services.shipping import store
from services.shipping.domain import deliveries, parcels

_LOG = logging.getLogger(__name__)


def told(
    moved: Sequence[parcels.Advance], by_order: Mapping[str, Sequence[parcels.Parcel]]
) -> Iterator[deliveries.Fact]:
    """What is told of parcels that moved. by_order has all parcels of their orders, as they were before."""
    now = {advance.parcel.id: advance.parcel for advance in moved}
    for order_id in dict.fromkeys(advance.parcel.order_id for advance in moved):
        of_order = deliveries.sent(now.get(parcel.id, parcel) for parcel in by_order[order_id])
        for fact in deliveries.told([one for one in moved if one.parcel.order_id == order_id], of_order):
            if isinstance(fact, deliveries.ShipmentUndeliverable | deliveries.ReturnUndeliverable):
                metrics.ALARMS.labels(store.SERVICE, "undeliverable").inc()
                extra = {"shipment_id": fact.parcel.id, "order_id": order_id, "state": fact.parcel.state}
                _LOG.error("parcel needs a person", extra=extra)
            yield fact
