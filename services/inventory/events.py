"""What inventory hears and says: two tables. Next stop of what is heard: `usecases.py`."""

import uuid
from collections.abc import Callable
from typing import Any

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.inventory import domain, rpc, usecases
from souk.inventory.v1 import inventory_events_pb2, stock_pb2
from souk.order.v1 import order_events_pb2

TOPIC = "inventory"
CONSUMED = ("orders",)


def _reserved(fact: domain.StockReserved) -> inventory_events_pb2.StockReserved:
    expire_time = render.timestamp(fact.expire_time)
    return inventory_events_pb2.StockReserved(order_id=fact.order_id, expire_time=expire_time)


def _rejected(fact: domain.StockRejected) -> inventory_events_pb2.StockRejected:
    shortages = [stock_pb2.Shortage(sku=s.sku, requested=s.requested, available=s.available) for s in fact.shortages]
    return inventory_events_pb2.StockRejected(order_id=fact.order_id, shortages=shortages)


def _released(fact: domain.StockReleased) -> inventory_events_pb2.StockReleased:
    cause = inventory_events_pb2.StockReleased.Cause.Value(fact.cause)
    return inventory_events_pb2.StockReleased(order_id=fact.order_id, cause=cause)


def _committed(fact: domain.StockCommitted) -> inventory_events_pb2.StockCommitted:
    return inventory_events_pb2.StockCommitted(order_id=fact.order_id)


def _level_changed(fact: domain.StockLevelChanged) -> inventory_events_pb2.StockLevelChanged:
    return inventory_events_pb2.StockLevelChanged(sku=fact.level.sku, level=rpc.level_message(fact.level))


def _level_low(fact: domain.StockLevelLow) -> inventory_events_pb2.StockLevelLow:
    return inventory_events_pb2.StockLevelLow(sku=fact.sku, available=fact.available, threshold=fact.threshold)


def _of_order(render_fact: Callable[[Any], Any]) -> outbox.Publication:
    return outbox.Publication(TOPIC, lambda fact: fact.order_id, render_fact)


PUBLISHED: outbox.Publications = {
    domain.StockReserved: _of_order(_reserved),
    domain.StockRejected: _of_order(_rejected),
    domain.StockReleased: _of_order(_released),
    domain.StockCommitted: _of_order(_committed),
    domain.StockLevelChanged: outbox.Publication(TOPIC, lambda fact: fact.level.sku, _level_changed),
    domain.StockLevelLow: outbox.Publication(TOPIC, lambda fact: fact.sku, _level_low),
}


def _want(message: order_events_pb2.OrderPlaced) -> domain.Want:
    return domain.Want(_id(message.order_id), {line.sku: line.quantity for line in message.lines})


def _confirmation(message: order_events_pb2.OrderConfirmed) -> domain.Confirmation:
    return domain.Confirmation(_id(message.order_id))


def _cancellation(message: order_events_pb2.OrderCancelled) -> domain.Cancellation:
    return domain.Cancellation(_id(message.order_id))


def _id(text: str) -> str:
    return str(uuid.UUID(text))


def subscribers(stock: usecases.Stock) -> reader.Subscribers:
    """Who handles what inventory consumes: one use case for all of it, so that a wave's rows are locked at once."""
    return {
        order_events_pb2.OrderPlaced: reader.Subscriber(_want, stock.hear),
        order_events_pb2.OrderConfirmed: reader.Subscriber(_confirmation, stock.hear),
        order_events_pb2.OrderCancelled: reader.Subscriber(_cancellation, stock.hear),
    }
