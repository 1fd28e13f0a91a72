"""Transfers and restock orders over calls, on a real database: goods are in one place, on their way, or lost, never in two."""

import asyncio
import uuid
from typing import Any

import pytest

from services.chassis import errors
from services.inventory.domain.supplies import Kind
from souk.inventory.v1 import inventory_service_pb2, supply_pb2
from tests.integration.inventory import mortal_supplier
from tests.integration.inventory.depot import Depot
from tests.support import calls, mortal

UNDER_WAY, ARRIVED = supply_pb2.UNDER_WAY, supply_pb2.ARRIVED


def lines(**quantities: int) -> list[inventory_service_pb2.SentLine]:
    return [inventory_service_pb2.SentLine(sku=sku, quantity=quantity) for sku, quantity in quantities.items()]


async def sent(depot: Depot, sku: str, quantity: int, **more: Any) -> Any:
    asked = {"from_warehouse": "east", "to_warehouse": "west", "lines": lines(**{sku: quantity})} | more
    request = inventory_service_pb2.CreateTransferRequest(**asked)
    return await depot.stub.CreateTransfer(request, metadata=depot.admin)


async def received(depot: Depot, transfer_id: str, quantities: dict[str, int] | None = None, *, key: str = "") -> Any:
    arrived = lines(**(quantities or {}))
    request = inventory_service_pb2.ReceiveTransferRequest(id=transfer_id, lines=arrived, request_id=key)
    return await depot.stub.ReceiveTransfer(request, metadata=depot.admin)


async def ended(depot: Depot, transfer_id: str, *, returned: bool) -> Any:
    request = inventory_service_pb2.EndTransferRequest(id=transfer_id, returned=returned)
    return await depot.stub.EndTransfer(request, metadata=depot.admin)


async def ordered(depot: Depot, sku: str, quantity: int, **more: Any) -> Any:
    asked = {"supplier": "Potters", "warehouse": "east", "lines": lines(**{sku: quantity})} | more
    request = inventory_service_pb2.CreateRestockOrderRequest(**asked)
    return await depot.stub.CreateRestockOrder(request, metadata=depot.admin)


async def test_goods_on_their_way_are_in_neither_warehouse_until_they_are_received(depot: Depot) -> None:
    sku = await depot.filled(10)
    transfer = await sent(depot, sku, 4)
    assert (transfer.state, transfer.lines[0].received) == (UNDER_WAY, 0)
    assert await depot.levels(sku) == {"east": (6, 0)}
    assert (await received(depot, transfer.id, {sku: 1})).state == UNDER_WAY
    assert await depot.levels(sku) == {"east": (6, 0), "west": (1, 0)}
    assert (await received(depot, transfer.id)).state == ARRIVED
    assert await depot.levels(sku) == {"east": (6, 0), "west": (4, 0)}
    assert (await depot.audited(sku)).agreed


async def test_what_orders_hold_is_not_sent_away(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.reserve(sku, 7)
    assert (await calls.refused(sent(depot, sku, 4))).reason == "STOCK_BELOW_RESERVED"
    assert await depot.levels(sku) == {"east": (10, 7)}


@pytest.mark.parametrize(("returned", "left"), [(True, 10), (False, 7)])
async def test_what_never_arrives_is_back_where_it_came_from_or_lost(
    depot: Depot, *, returned: bool, left: int
) -> None:
    sku = await depot.filled(10)
    transfer = await sent(depot, sku, 4)
    await received(depot, transfer.id, {sku: 1})
    for _ in range(2):
        await ended(depot, transfer.id, returned=returned)
    found = await depot.levels(sku)
    assert (found["east"][0], found["west"][0]) == (left - 1, 1) if returned else (6, 1)
    other = await calls.refused(ended(depot, transfer.id, returned=not returned))
    late = await calls.refused(received(depot, transfer.id))
    assert (other.reason, late.reason) == ("SUPPLY_ENDED", "SUPPLY_ENDED")


async def test_a_repeated_transfer_or_delivery_counts_once(depot: Depot) -> None:
    sku, sending, receiving = await depot.filled(10), uuid.uuid4().hex, uuid.uuid4().hex
    transfer, again = [await sent(depot, sku, 4, request_id=sending) for _ in range(2)]
    assert transfer.id == again.id
    for _ in range(2):
        await received(depot, transfer.id, {sku: 1}, key=receiving)
    assert await depot.levels(sku) == {"east": (6, 0), "west": (1, 0)}
    assert (await calls.refused(sent(depot, sku, 5, request_id=sending))).reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"to_warehouse": "east"}, "WAREHOUSE_SAME"),
        ({"to_warehouse": "moon"}, "WAREHOUSE_UNKNOWN"),
        ({"lines": lines(A1=1) * 2}, "SKU_DUPLICATE"),
    ],
)
async def test_a_transfer_that_cannot_be_is_refused(depot: Depot, more: dict[str, Any], reason: str) -> None:
    sku = await depot.filled(10)
    assert (await calls.refused(sent(depot, sku, 1, **more))).reason == reason
    assert await depot.levels(sku) == {"east": (10, 0)}


async def test_an_unknown_transfer_is_not_found_and_neither_is_a_restock_order_as_one(depot: Depot) -> None:
    restock = await ordered(depot, await depot.filled(1), 1)
    for unknown in (str(uuid.uuid4()), restock.id):
        request = inventory_service_pb2.GetTransferRequest(id=unknown)
        error = await calls.refused(depot.stub.GetTransfer(request, metadata=depot.admin))
        assert (error.code, error.reason) == (errors.Code.NOT_FOUND, "TRANSFER_NOT_FOUND")


async def test_two_deliveries_of_the_same_goods_at_the_same_moment_have_one_winner(depot: Depot) -> None:
    sku = await depot.filled(10)
    transfer = await sent(depot, sku, 4)
    outcomes = await asyncio.gather(*(received(depot, transfer.id, {sku: 3}) for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert (await depot.levels(sku))["west"] == (3, 0)


async def test_transfers_both_ways_at_the_same_moment_wait_for_each_other(depot: Depot) -> None:
    one, two = await depot.filled(100), await depot.filled(100)
    for sku in (one, two):
        await depot.adjust(sku, 100, warehouse="west")

    async def there_and_back(first: str, second: str, *, east: bool) -> None:
        way = {} if east else {"from_warehouse": "west", "to_warehouse": "east"}
        for _ in range(5):
            transfer = await sent(depot, first, 1, lines=lines(**{first: 1, second: 1}), **way)
            await received(depot, transfer.id)

    await asyncio.gather(
        *(there_and_back(*pair, east=east) for pair in ((one, two), (two, one)) for east in (True, False))
    )
    assert await depot.levels(one) == await depot.levels(two) == {"east": (100, 0), "west": (100, 0)}


async def test_ordered_goods_are_stock_when_they_are_received(depot: Depot) -> None:
    sku = await depot.filled(1)
    restock = await ordered(depot, sku, 20, expected_time={"seconds": 1_800_000_000})
    assert restock.expected_time.seconds == 1_800_000_000
    assert await depot.levels(sku) == {"east": (1, 0)}
    later = inventory_service_pb2.ExpectRestockOrderRequest(id=restock.id)
    assert not (await depot.stub.ExpectRestockOrder(later, metadata=depot.admin)).HasField("expected_time")
    some = inventory_service_pb2.ReceiveRestockOrderRequest(id=restock.id, lines=lines(**{sku: 15}))
    assert (await depot.stub.ReceiveRestockOrder(some, metadata=depot.admin)).state == UNDER_WAY
    rest = inventory_service_pb2.EndRestockOrderRequest(id=restock.id)
    assert (await depot.stub.EndRestockOrder(rest, metadata=depot.admin)).state == supply_pb2.ENDED
    assert await depot.levels(sku) == {"east": (16, 0)}


async def test_lists_show_the_newest_first_and_what_is_under_way_when_asked(depot: Depot) -> None:
    sku = await depot.filled(10)
    old, new = await ordered(depot, sku, 1), await ordered(depot, sku, 2)
    done = inventory_service_pb2.ReceiveRestockOrderRequest(id=new.id)
    await depot.stub.ReceiveRestockOrder(done, metadata=depot.admin)

    async def listed(**asked: Any) -> Any:
        request = inventory_service_pb2.ListRestockOrdersRequest(**asked)
        return await depot.stub.ListRestockOrders(request, metadata=depot.admin)

    first = await listed(page_size=1)
    second = await listed(page_size=1, page_token=first.next_page_token)
    assert [page.restock_orders[0].id for page in (first, second)] == [new.id, old.id]
    assert [order.id for order in (await listed(page_size=1, under_way=True)).restock_orders] == [old.id]


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_transfer_that_died_at_its_commit_is_sent_once(depot: Depot, database_url: str, point: str) -> None:
    sku, request_id = await depot.filled(10), uuid.uuid4().hex
    mortal.dies(mortal_supplier.MODULE, database_url, at=point, DOING="send", SKU=sku, REQUEST_ID=request_id)
    assert await depot.levels(sku) == {"east": (10 if point == mortal.WRITTEN else 6, 0)}
    transfer = await depot.does.supplying.begin(mortal_supplier.wanted(sku, request_id))
    assert await depot.levels(sku) == {"east": (6, 0)}
    assert (await depot.does.supplying.get(Kind.TRANSFER, transfer.id)).missing == {sku: 4}


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_delivery_that_died_at_its_commit_arrives_once(depot: Depot, database_url: str, point: str) -> None:
    sku, request_id = await depot.filled(10), uuid.uuid4().hex
    transfer = await sent(depot, sku, 4)
    doing = {"DOING": "receive", "TRANSFER_ID": transfer.id, "REQUEST_ID": request_id}
    mortal.dies(mortal_supplier.MODULE, database_url, at=point, **doing)
    assert (await depot.levels(sku)).get("west") == (None if point == mortal.WRITTEN else (4, 0))
    await depot.does.supplying.receive(mortal_supplier.arrived(transfer.id, request_id))
    assert await depot.levels(sku) == {"east": (6, 0), "west": (4, 0)}


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_return_that_died_at_its_commit_comes_back_once(depot: Depot, database_url: str, point: str) -> None:
    sku = await depot.filled(10)
    transfer = await sent(depot, sku, 4)
    doing = {"DOING": "return", "TRANSFER_ID": transfer.id, "REQUEST_ID": ""}
    mortal.dies(mortal_supplier.MODULE, database_url, at=point, **doing)
    await ended(depot, transfer.id, returned=True)
    assert await depot.levels(sku) == {"east": (10, 0)}
