"""Stock and messages of the contract: `of_level` renders a level, `want` parses what an order wants."""

from collections.abc import Sequence

from services.chassis import ids
from services.chassis.rpc import render
from services.inventory import domain
from souk.inventory.v1 import inventory_events_pb2, stock_pb2
from souk.order.v1 import order_events_pb2


def of_level(level: domain.Level) -> stock_pb2.StockLevel:
    return stock_pb2.StockLevel(
        sku=level.sku,
        warehouse=level.warehouse,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=level.available,
    )


def of_warehouse(warehouse: domain.Warehouse) -> stock_pb2.Warehouse:
    return stock_pb2.Warehouse(id=warehouse.id, title=warehouse.title, preference=warehouse.preference)


def of_stock(levels: Sequence[domain.Level]) -> stock_pb2.Stock:
    return stock_pb2.Stock(
        sku=levels[0].sku,
        on_hand=sum(level.on_hand for level in levels),
        reserved=sum(level.reserved for level in levels),
        available=sum(level.available for level in levels),
        levels=[of_level(level) for level in levels],
    )


def of_stock_reserved(fact: domain.StockReserved) -> inventory_events_pb2.StockReserved:
    expire_time = render.timestamp(fact.expire_time)
    return inventory_events_pb2.StockReserved(order_id=fact.order_id, expire_time=expire_time)


def of_stock_rejected(fact: domain.StockRejected) -> inventory_events_pb2.StockRejected:
    shortages = [stock_pb2.Shortage(sku=s.sku, requested=s.requested, available=s.available) for s in fact.shortages]
    return inventory_events_pb2.StockRejected(order_id=fact.order_id, shortages=shortages)


def of_stock_released(fact: domain.StockReleased) -> inventory_events_pb2.StockReleased:
    cause = inventory_events_pb2.StockReleased.Cause.Value(fact.cause)
    return inventory_events_pb2.StockReleased(order_id=fact.order_id, cause=cause)


def of_stock_committed(fact: domain.StockCommitted) -> inventory_events_pb2.StockCommitted:
    said = inventory_events_pb2.StockCommitted
    picks = [said.Pick(sku=hold.sku, quantity=hold.quantity, warehouse=hold.warehouse) for hold in fact.picks]
    return said(order_id=fact.order_id, picks=picks)


def of_level_changed(fact: domain.StockLevelChanged) -> inventory_events_pb2.StockLevelChanged:
    return inventory_events_pb2.StockLevelChanged(sku=fact.level.sku, level=of_level(fact.level))


def of_level_low(fact: domain.StockLevelLow) -> inventory_events_pb2.StockLevelLow:
    return inventory_events_pb2.StockLevelLow(sku=fact.sku, available=fact.available, threshold=fact.threshold)


def want(message: order_events_pb2.OrderPlaced) -> domain.Want:
    return domain.Want(ids.canonical(message.order_id), {line.sku: line.quantity for line in message.lines})


def confirmation(message: order_events_pb2.OrderConfirmed) -> domain.Confirmation:
    return domain.Confirmation(ids.canonical(message.order_id))


def cancellation(message: order_events_pb2.OrderCancelled) -> domain.Cancellation:
    return domain.Cancellation(ids.canonical(message.order_id))
