"""Counts over calls, on a real database: differences are told and corrected once, whatever is sold meanwhile."""

import asyncio
import time
import uuid
from typing import Any

from services.chassis import database
from souk.inventory.v1 import inventory_service_pb2, movement_pb2
from tests.integration.inventory.depot import Depot, new_sku
from tests.support import calls

NOW = database.Statement("SELECT extract(epoch FROM clock_timestamp())::float8")


async def counted(depot: Depot, quantities: dict[str, int], **more: Any) -> Any:
    lines = [inventory_service_pb2.CountedLine(sku=sku, counted=quantity) for sku, quantity in quantities.items()]
    request = inventory_service_pb2.CreateStockCountRequest(**{"warehouse": "east", "lines": lines} | more)
    return await depot.stub.CreateStockCount(request, metadata=depot.admin)


async def test_a_count_corrects_many_skus_at_once_and_tells_the_differences(depot: Depot) -> None:
    less, more, new = await depot.filled(10), await depot.filled(3), new_sku()
    count = await counted(depot, {less: 7, more: 5, new: 2}, note="Saturday")
    assert {line.sku: line.difference for line in count.lines} == {less: -3, more: 2, new: 2}
    assert [await depot.levels(sku) for sku in (less, more, new)] == [{"east": (each, 0)} for each in (7, 5, 2)]
    listed = inventory_service_pb2.ListMovementsRequest(sku=less)
    [moved, _] = (await depot.stub.ListMovements(listed, metadata=depot.admin)).movements
    told = (moved.delta, moved.reason, moved.reference, moved.note)
    assert told == (-3, movement_pb2.Movement.COUNTED, count.id, "Saturday")
    found = await depot.stub.GetStockCount(
        inventory_service_pb2.GetStockCountRequest(id=count.id), metadata=depot.admin
    )
    assert found == count
    newest = inventory_service_pb2.ListStockCountsRequest(page_size=1)
    assert (await depot.stub.ListStockCounts(newest, metadata=depot.admin)).counts[0] == count


async def test_a_repeated_count_corrects_once(depot: Depot) -> None:
    sku, key = await depot.filled(10), uuid.uuid4().hex
    first = await counted(depot, {sku: 7}, request_id=key)
    await depot.adjust(sku, 1)
    assert await counted(depot, {sku: 7}, request_id=key) == first
    assert await depot.levels(sku) == {"east": (8, 0)}


async def test_what_orders_hold_is_not_counted_away_and_the_rest_of_the_count_counts(depot: Depot) -> None:
    held, other = await depot.filled(10), await depot.filled(10)
    await depot.reserve(held, 6)
    count = await counted(depot, {held: 5, other: 5})
    assert {line.sku: line.applied for line in count.lines} == {held: False, other: True}
    assert await depot.levels(held) == {"east": (10, 6)}
    assert await depot.levels(other) == {"east": (5, 0)}


async def test_what_moved_after_the_count_was_made_is_no_difference(depot: Depot) -> None:
    sku = await depot.filled(10)
    [[moment]] = await depot.db.read(NOW)
    at = {"seconds": int(moment), "nanos": int(moment % 1 * 10**9)}
    while time.time() <= moment:
        await asyncio.sleep(0.001)
    await depot.sell(sku, 2)
    await depot.adjust(sku, 5)
    count = await counted(depot, {sku: 9}, count_time=at)
    [line] = count.lines
    assert (line.expected, line.difference) == (10, -1)
    assert await depot.levels(sku) == {"east": (12, 0)}


async def test_a_count_among_orders_loses_none_of_them(depot: Depot) -> None:
    sku = await depot.filled(1000)
    [[moment]] = await depot.db.read(NOW)
    at = {"seconds": int(moment), "nanos": int(moment % 1 * 10**9)}

    async def orders() -> None:
        for _ in range(10):
            await depot.sell(sku, 1)

    async def counts() -> None:
        for _ in range(5):
            await counted(depot, {sku: 1000}, count_time=at)

    await asyncio.gather(orders(), orders(), counts())
    assert await depot.levels(sku) == {"east": (980, 0)}
    assert (await depot.audited(sku)).agreed


async def test_an_unknown_count_is_not_found(depot: Depot) -> None:
    request = inventory_service_pb2.GetStockCountRequest(id=str(uuid.uuid4()))
    error = await calls.refused(depot.stub.GetStockCount(request, metadata=depot.admin))
    assert error.reason == "COUNT_NOT_FOUND"
