"""Orders as catalog understands them: what was sold."""

from services.catalog.domain import popularity
from souk.order.v1 import order_events_pb2


def sold(message: order_events_pb2.OrderConfirmed) -> tuple[popularity.Sold, ...] | None:
    """What a confirmed order has of which SKU; None when it has no lines."""
    return tuple(popularity.Sold(line.sku, line.quantity) for line in message.lines) or None
