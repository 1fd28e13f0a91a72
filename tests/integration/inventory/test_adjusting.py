"""Stock that came or went, thresholds and warehouses: over calls, on a real database, and killed at the commit."""

import asyncio
import uuid

import pytest

from services.chassis import database, errors
from services.inventory import domain, store
from souk.inventory.v1 import inventory_service_pb2, stock_pb2
from tests.integration.inventory import mortal_shelf
from tests.integration.inventory.depot import ADMIN, Depot
from tests.support import calls, mortal, tables

CHANGED = database.Statement("""
SELECT count(*) FROM outbox WHERE key = %(sku)s AND type = 'souk.inventory.v1.StockLevelChanged'
""")
SUM_OF_MOVEMENTS = database.Statement("SELECT sum(delta)::bigint FROM movements WHERE sku = %(sku)s")
MOVED = database.Statement("SELECT delta, reason, reference, note FROM movements WHERE sku = %(sku)s ORDER BY id")


def test_the_codes_tables_are_those_that_the_migrations_make(database_url: str) -> None:
    assert tables.differences(database_url, store.METADATA) == []


async def test_what_came_and_went_is_a_movement_with_its_reason(depot: Depot) -> None:
    sku = await depot.filled(10)
    assert (await depot.adjust(sku, 5)).on_hand == 15
    assert (await depot.adjust(sku, -7)).on_hand == 8
    moved = await depot.db.read(MOVED, {"sku": sku})
    assert moved[1:] == [(5, "adjusted", f"user:{ADMIN}", "counted"), (-7, "adjusted", f"user:{ADMIN}", "counted")]
    assert await depot.db.read(CHANGED, {"sku": sku}) == [(3,)]


async def test_cart_gets_the_stock_of_many_skus_at_once_and_of_those_that_exist(depot: Depot) -> None:
    one, two = await depot.filled(3), await depot.filled(5)
    await depot.adjust(two, 2, warehouse="west")
    await depot.reserve(two, 1)
    asked = inventory_service_pb2.BatchGetStockRequest(skus=[two, "NO-SUCH-SKU", one, two])
    answer = await depot.stub.BatchGetStock(asked, metadata=depot.shop.as_service("cart"))
    assert [(stock.sku, stock.available, len(stock.levels)) for stock in answer.stock] == sorted(
        [(one, 3, 1), (two, 6, 2)]
    )
    refused = await calls.refused(depot.stub.BatchGetStock(asked, metadata=depot.shop.as_service("payment")))
    assert refused.reason == "TOKEN_MISSING"


async def test_stock_of_a_new_sku_is_made_when_some_comes(depot: Depot) -> None:
    sku = f"SKU-{str(uuid.uuid4()).upper()}"
    level = await depot.adjust(sku, 3, warehouse="west")
    assert (level.warehouse, level.on_hand, level.available) == ("west", 3, 3)


async def test_a_repeated_adjustment_counts_once(depot: Depot) -> None:
    sku, request_id = await depot.filled(10), uuid.uuid4().hex
    for _ in range(2):
        assert (await depot.adjust(sku, -3, request_id=request_id)).on_hand == 7
    error = await calls.refused(depot.adjust(sku, -4, request_id=request_id))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_adjustments_at_the_same_moment_all_count(depot: Depot) -> None:
    sku = await depot.filled(100)
    await asyncio.gather(*(depot.adjust(sku, -1) for _ in range(20)))
    [level] = await depot.stock.levels(sku)
    assert level.on_hand == 80


async def test_adjustments_and_counts_at_the_same_moment_all_count_where_nothing_lay_before(depot: Depot) -> None:
    sku, counted = (f"SKU-{str(uuid.uuid4()).upper()}" for _ in range(2))
    await asyncio.gather(*(depot.adjust(sku, 1) for _ in range(20)))
    await asyncio.gather(
        *(depot.stock.set_level(domain.Level(counted, "east", number, 0), actor="test") for number in range(1, 11))
    )
    assert [level.on_hand for level in await depot.stock.levels(sku)] == [20]
    for moved in (sku, counted):
        [level] = await depot.stock.levels(moved)
        assert await depot.db.read(SUM_OF_MOVEMENTS, {"sku": moved}) == [(level.on_hand,)]


async def test_what_is_refused_makes_no_place(depot: Depot) -> None:
    sku = f"SKU-{str(uuid.uuid4()).upper()}"
    assert (await calls.refused(depot.adjust(sku, -1))).reason == "STOCK_BELOW_RESERVED"
    with pytest.raises(errors.DomainError, match="SKU_NOT_FOUND"):
        await depot.stock.levels(sku)


async def test_what_orders_hold_cannot_go(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.reserve(sku, 8)
    for delta, warehouse, reason in (
        (-3, "east", "STOCK_BELOW_RESERVED"),
        (10**9, "east", "STOCK_TOO_LARGE"),
        (1, "moon", "WAREHOUSE_UNKNOWN"),
    ):
        error = await calls.refused(depot.adjust(sku, delta, warehouse=warehouse))
        assert (error.code, error.reason) == (errors.Code.FAILED_PRECONDITION, reason)


async def test_nothing_coming_and_no_reason_are_told_by_field(depot: Depot) -> None:
    request = inventory_service_pb2.AdjustStockRequest(sku="A1", warehouse="east")
    error = await calls.refused(depot.stub.AdjustStock(request, metadata=depot.shop.as_user(ADMIN, "ADMIN")))
    assert {violation.field for violation in error.violations} == {"delta", "reason"}


async def test_only_administrators_and_the_catalog_adjust(depot: Depot) -> None:
    sku = await depot.filled(10)
    request = inventory_service_pb2.AdjustStockRequest(sku=sku, warehouse="east", delta=1, reason="found")
    for role in ("CUSTOMER", "VENDOR"):
        error = await calls.refused(depot.stub.AdjustStock(request, metadata=depot.shop.as_user(ADMIN, role)))
        assert error.reason == "ACCESS_DENIED"
    assert (await depot.stub.AdjustStock(request, metadata=depot.shop.as_service("catalog"))).on_hand == 11


async def test_a_sku_is_said_to_be_low_once_each_time_it_falls_below_five(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.reserve(sku, 5)
    assert await depot.lows(sku) == []
    order = await depot.reserve(sku, 1)
    await depot.reserve(sku, 1)
    assert await depot.lows(sku) == [4]
    await depot.release(order)
    await depot.adjust(sku, 3)
    await depot.adjust(sku, -5)
    assert await depot.lows(sku) == [4, 2]


async def test_a_skus_own_threshold_counts(depot: Depot) -> None:
    sku = await depot.filled(30)
    request = inventory_service_pb2.SetStockThresholdRequest(sku=sku, threshold=20)
    for _ in range(2):
        await depot.stub.SetStockThreshold(request, metadata=depot.shop.as_user(ADMIN, "ADMIN"))
    await depot.reserve(sku, 11)
    assert await depot.lows(sku) == [19]


async def test_stock_in_another_warehouse_keeps_a_sku_from_being_low(depot: Depot) -> None:
    sku = await depot.filled(6)
    await depot.adjust(sku, 6, warehouse="west")
    await depot.reserve(sku, 6)
    assert await depot.lows(sku) == []


async def test_a_warehouse_is_made_and_changed_and_then_holds_stock(depot: Depot) -> None:
    admin, own = depot.shop.as_user(ADMIN, "ADMIN"), f"w-{uuid.uuid4().hex[:8]}"
    for title in ("North", "Far north"):
        request = inventory_service_pb2.PutWarehouseRequest(id=own, title=title, preference=3)
        await depot.stub.PutWarehouse(request, metadata=admin)
    listed = await depot.stub.ListWarehouses(inventory_service_pb2.ListWarehousesRequest(), metadata=admin)
    assert [warehouse.id for warehouse in listed.warehouses][:2] == ["east", "west"]
    assert stock_pb2.Warehouse(id=own, title="Far north", preference=3) in listed.warehouses
    sku = await depot.filled(1)
    assert (await depot.adjust(sku, 2, warehouse=own)).on_hand == 2


async def test_nobody_but_administrators_sees_warehouses(depot: Depot) -> None:
    request = inventory_service_pb2.ListWarehousesRequest()
    error = await calls.refused(depot.stub.ListWarehouses(request, metadata=depot.shop.as_user(ADMIN)))
    assert error.reason == "ACCESS_DENIED"


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_an_adjustment_that_died_at_its_commit_counts_once(depot: Depot, database_url: str, point: str) -> None:
    sku, request_id = await depot.filled(10), uuid.uuid4().hex
    mortal.dies(mortal_shelf.MODULE, database_url, at=point, SKU=sku, REQUEST_ID=request_id)
    [left] = await depot.stock.levels(sku)
    assert left.on_hand == (10 if point == mortal.WRITTEN else 8)
    await depot.stock.adjust(mortal_shelf.wanted(sku, request_id))
    [level] = await depot.stock.levels(sku)
    assert level.on_hand == 8
    assert len(await depot.db.read(MOVED, {"sku": sku})) == 2
