"""What inventory hears and says: two tables. Next stop of what is heard: `usecases.py`."""

from collections.abc import Callable
from typing import Any

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.inventory import domain, messages, usecases
from souk.order.v1 import order_events_pb2, return_events_pb2

TOPIC = "inventory"
CONSUMED = ("orders",)


def _of_order(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(TOPIC, lambda fact: fact.order_id, render_fact)


PUBLISHED: outbox.Publications = {
    domain.StockReserved: _of_order(messages.of_stock_reserved),
    domain.StockRejected: _of_order(messages.of_stock_rejected),
    domain.StockReleased: _of_order(messages.of_stock_released),
    domain.StockCommitted: _of_order(messages.of_stock_committed),
    domain.StockLevelChanged: outbox.Publication(TOPIC, lambda fact: fact.level.sku, messages.of_level_changed),
    domain.StockLevelLow: outbox.Publication(TOPIC, lambda fact: fact.sku, messages.of_level_low),
}


def subscribers(stock: usecases.Stock) -> reader.Subscribers:
    """Who handles what inventory consumes: one use case for all of it, so that a wave's rows are locked at once."""
    return {
        order_events_pb2.OrderPlaced: reader.Subscriber(messages.want, stock.hear),
        order_events_pb2.OrderConfirmed: reader.Subscriber(messages.confirmation, stock.hear),
        order_events_pb2.OrderCancelled: reader.Subscriber(messages.cancellation, stock.hear),
        return_events_pb2.ReturnInspected: reader.Subscriber(messages.goods_returned, stock.hear),
    }
