"""Stock and messages of the contract: `of_level` renders a level, `want` parses what an order wants."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.chassis import errors, idempotency, ids
from services.chassis.rpc import render
from services.inventory import domain
from services.inventory.domain import counts, forecast, history, supplies
from services.inventory.domain.supplies import Kind
from souk.inventory.v1 import (
    count_pb2,
    forecast_pb2,
    inventory_events_pb2,
    inventory_service_pb2,
    movement_pb2,
    stock_pb2,
    supply_pb2,
)
from souk.order.v1 import order_events_pb2, return_events_pb2


def of_level(level: domain.Level) -> stock_pb2.StockLevel:
    return stock_pb2.StockLevel(
        sku=level.sku,
        warehouse=level.warehouse,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=level.available,
    )


def of_warehouse(warehouse: domain.Warehouse) -> stock_pb2.Warehouse:
    point = warehouse.location
    return stock_pb2.Warehouse(
        id=warehouse.id,
        title=warehouse.title,
        preference=warehouse.preference,
        country=warehouse.country,
        region=warehouse.region,
        location=stock_pb2.GeoPoint(latitude=point.latitude, longitude=point.longitude) if point else None,
    )


def warehouse_sent(request: inventory_service_pb2.PutWarehouseRequest) -> domain.Warehouse:
    point = domain.Point(request.location.latitude, request.location.longitude)
    return domain.Warehouse(
        request.id,
        request.title,
        request.preference,
        request.country,
        request.region,
        point if request.HasField("location") else None,
    )


def of_stock(levels: Sequence[domain.Level]) -> stock_pb2.Stock:
    return stock_pb2.Stock(
        sku=levels[0].sku,
        on_hand=sum(level.on_hand for level in levels),
        reserved=sum(level.reserved for level in levels),
        available=sum(level.available for level in levels),
        levels=[of_level(level) for level in levels],
    )


def of_movement(recorded: history.Recorded) -> movement_pb2.Movement:
    moved = recorded.movement
    return movement_pb2.Movement(
        id=recorded.id,
        sku=moved.sku,
        warehouse=moved.warehouse,
        delta=moved.delta,
        reason=movement_pb2.Movement.Reason.Value(moved.reason.upper()),
        reference=moved.reference,
        note=moved.note,
        create_time=render.timestamp(recorded.time),
    )


def of_audit(sku: str, found: Sequence[history.Comparison], *, repair: bool) -> movement_pb2.StockAudit:
    agreed = all(each.agrees for each in found)
    places = [
        movement_pb2.StockAudit.Place(
            warehouse=each.kept.warehouse,
            on_hand=each.kept.on_hand,
            reserved=each.kept.reserved,
            recorded_on_hand=each.recorded.on_hand,
            recorded_reserved=each.recorded.reserved,
        )
        for each in found
    ]
    return movement_pb2.StockAudit(sku=sku, places=places, agreed=agreed, repaired=repair and not agreed)


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
    there = message.ship_to
    return domain.Want(
        ids.canonical(message.order_id),
        {line.sku: line.quantity for line in message.lines},
        domain.Destination(there.country, there.region),
    )


def confirmation(message: order_events_pb2.OrderConfirmed) -> domain.Confirmation:
    return domain.Confirmation(ids.canonical(message.order_id))


def goods_returned(message: return_events_pb2.ReturnInspected) -> domain.GoodsReturned | None:
    """What goes back on the shelf; None when nothing does."""
    resell = {line.sku: line.resell for line in message.lines if line.resell}
    if not resell:
        return None
    order_id, return_id = ids.canonical(message.order_id), ids.canonical(message.return_id)
    return domain.GoodsReturned(return_id, order_id, resell, message.warehouse)


def cancellation(message: order_events_pb2.OrderCancelled) -> domain.Cancellation:
    return domain.Cancellation(ids.canonical(message.order_id))


def transfer_wanted(request: inventory_service_pb2.CreateTransferRequest, actor: str) -> supplies.Draft:
    return _draft(Kind.TRANSFER, request, (request.from_warehouse, request.to_warehouse), actor)


def restock_wanted(request: inventory_service_pb2.CreateRestockOrderRequest, actor: str) -> supplies.Draft:
    return _draft(Kind.RESTOCK, request, (request.supplier, request.warehouse), actor)


def _draft(kind: Kind, request: Any, way: tuple[str, str], actor: str) -> supplies.Draft:
    source, target = way
    return supplies.Draft(
        kind=kind,
        source=source,
        target=target,
        lines=_quantities(request.lines),
        expected_time=moment(request, "expected_time"),
        note=request.note,
        actor=actor,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request),
    )


def delivery(
    kind: Kind,
    request: inventory_service_pb2.ReceiveTransferRequest | inventory_service_pb2.ReceiveRestockOrderRequest,
    actor: str,
) -> supplies.Delivery:
    lines = _quantities(request.lines)
    fingerprint = idempotency.fingerprint(request)
    return supplies.Delivery(request.id.lower(), kind, lines, actor, request.request_id, fingerprint)


def of_transfer(supply: supplies.Supply) -> supply_pb2.Transfer:
    return supply_pb2.Transfer(from_warehouse=supply.source, to_warehouse=supply.target, **_of_supply(supply))


def of_restock(supply: supplies.Supply) -> supply_pb2.RestockOrder:
    return supply_pb2.RestockOrder(supplier=supply.source, warehouse=supply.target, **_of_supply(supply))


def _of_supply(supply: supplies.Supply) -> dict[str, Any]:
    """What transfers and restock orders have in common."""
    line = supply_pb2.SupplyLine
    return {
        "id": supply.id,
        "lines": [line(sku=each.sku, quantity=each.quantity, received=each.received) for each in supply.lines],
        "state": supply_pb2.SupplyState.Value(supply.state),
        "expected_time": render.timestamp(supply.expected_time) if supply.expected_time else None,
        "note": supply.note,
        "create_time": render.timestamp(supply.create_time),
        "update_time": render.timestamp(supply.update_time),
    }


def count_wanted(request: inventory_service_pb2.CreateStockCountRequest, actor: str) -> counts.Draft:
    return counts.Draft(
        warehouse=request.warehouse,
        counted=_quantities(request.lines, "counted"),
        count_time=moment(request, "count_time"),
        note=request.note,
        actor=actor,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request),
    )


def of_count(count: counts.Count) -> count_pb2.StockCount:
    line = count_pb2.StockCount.Line
    return count_pb2.StockCount(
        id=count.id,
        warehouse=count.warehouse,
        lines=[
            line(
                sku=each.sku,
                expected=each.expected,
                counted=each.counted,
                difference=each.difference,
                applied=each.applied,
            )
            for each in count.lines
        ],
        note=count.note,
        actor=count.actor,
        count_time=render.timestamp(count.count_time),
        create_time=render.timestamp(count.create_time),
    )


def of_forecast(found: forecast.Outlook) -> forecast_pb2.Forecast:
    plan, trial = found.plan, found.trial

    def date(number: int) -> str:
        return (found.today + timedelta(days=number)).isoformat()

    day, of_trial = forecast_pb2.Forecast.Day, forecast_pb2.Forecast.Trial
    return forecast_pb2.Forecast(
        sku=found.sku,
        days=[day(date=date(number), quantity=quantity) for number, quantity in enumerate(found.days)],
        history_days=found.history_days,
        trial=of_trial(error=trial.error, naive_error=trial.naive_error) if trial else None,
        available=found.supply.available,
        incoming=sum(found.supply.arriving.values()),
        days_of_cover=plan.days_of_cover,
        safety_stock=plan.safety_stock,
        order_date="" if plan.order_in is None else date(plan.order_in),
        order_quantity=plan.order_quantity,
    )


def moment(request: Any, field: str) -> datetime | None:
    """The moment in a field of a request; None when it is absent."""
    return render.moment(getattr(request, field)) if request.HasField(field) else None


def _quantities(lines: Iterable[Any], of: str = "quantity") -> dict[str, int]:
    """How many of each SKU. Raises SKU_DUPLICATE."""
    result: dict[str, int] = {}
    for place, line in enumerate(lines):
        if line.sku in result:
            wrong = errors.Violation(f"lines[{place}].sku", "is named before", "SKU_DUPLICATE")
            raise errors.invalid("SKU_DUPLICATE", "a SKU is named twice", wrong, sku=line.sku)
        result[line.sku] = getattr(line, of)
    return result
