"""The history of stock: read by pages, rebuilt, and held against what is kept, also while orders come."""

import asyncio

import pytest

from services.chassis import database
from souk.inventory.v1 import inventory_service_pb2, movement_pb2
from tests.integration.inventory.depot import ADMIN, Depot, new_sku
from tests.support import calls

SPOIL = database.Statement("UPDATE stock SET on_hand = on_hand + 7, reserved = 0 WHERE sku = %(sku)s")
FORGET = database.Statement("DELETE FROM stock WHERE sku = %(sku)s")
PROMISE = database.Statement("""
INSERT INTO reservations VALUES (gen_random_uuid(), %(sku)s, 'east', 99, 'HELD', now() + interval '1 hour')
""")
FORGET_PROMISES = database.Statement("DELETE FROM reservations WHERE sku = %(sku)s")
REASON = movement_pb2.Movement.Reason


async def _listed(
    depot: Depot, sku: str, *, page_size: int = 0, token: str = ""
) -> inventory_service_pb2.ListMovementsResponse:
    request = inventory_service_pb2.ListMovementsRequest(sku=sku, page_size=page_size, page_token=token)
    answer: inventory_service_pb2.ListMovementsResponse = await depot.stub.ListMovements(request, metadata=depot.admin)
    return answer


async def test_the_history_says_what_moved_why_and_for_whom_the_newest_first(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.adjust(sku, -1)
    order_id = await depot.sell(sku, 4)
    await depot.release(order_id)
    told = [(one.delta, one.reason, one.reference, one.note) for one in (await _listed(depot, sku)).movements]
    assert told == [
        (4, REASON.RETURNED, order_id, ""),
        (-4, REASON.SOLD, order_id, ""),
        (-1, REASON.ADJUSTED, f"user:{ADMIN}", "counted"),
        (10, REASON.CORRECTED, "test", ""),
    ]


async def test_pages_of_the_history_come_to_all_of_it(depot: Depot) -> None:
    sku = await depot.filled(1)
    for _ in range(4):
        await depot.adjust(sku, 1)
    seen, token = list[int](), ""
    while True:
        page = await _listed(depot, sku, page_size=2, token=token)
        seen += [one.id for one in page.movements]
        if not (token := page.next_page_token):
            break
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)


async def test_a_token_of_another_skus_history_is_refused(depot: Depot) -> None:
    sku, other = await depot.filled(1), await depot.filled(1)
    await depot.adjust(sku, 1)
    token = (await _listed(depot, sku, page_size=1)).next_page_token
    error = await calls.refused(_listed(depot, other, page_size=1, token=token))
    assert error.reason == "PAGE_TOKEN_INVALID"


async def test_the_history_rebuilds_what_is_on_hand_and_what_is_reserved(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.adjust(sku, 5, warehouse="west")
    await depot.sell(sku, 3)
    await depot.reserve(sku, 2)
    audit = await depot.audited(sku)
    assert (audit.agreed, audit.repaired) == (True, False)
    told = {place.warehouse: (place.recorded_on_hand, place.recorded_reserved) for place in audit.places}
    assert told == await depot.levels(sku) == {"east": (7, 2), "west": (5, 0)}


async def test_stock_that_was_changed_by_hand_is_found_and_repaired_when_that_is_wanted(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.reserve(sku, 2)
    await depot.db.read(SPOIL, {"sku": sku})
    found = await depot.audited(sku)
    assert (found.agreed, found.repaired, found.places[0].on_hand) == (False, False, 17)
    assert await depot.levels(sku) == {"east": (17, 0)}
    assert (await depot.audited(sku, repair=True)).repaired
    assert await depot.levels(sku) == {"east": (10, 2)}
    assert (await depot.audited(sku)).agreed


async def test_stock_that_was_lost_is_rebuilt(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.adjust(sku, 5, warehouse="west")
    await depot.db.read(FORGET, {"sku": sku})
    assert not (await depot.audited(sku)).agreed
    await depot.audited(sku, repair=True)
    assert await depot.levels(sku) == {"east": (10, 0), "west": (5, 0)}


async def test_a_history_that_promises_more_than_ever_came_is_not_made_stock(depot: Depot) -> None:
    sku = await depot.filled(10)
    await depot.db.read(PROMISE, {"sku": sku})
    error = await calls.refused(depot.audited(sku, repair=True))
    assert error.reason == "HISTORY_IMPOSSIBLE"
    assert await depot.levels(sku) == {"east": (10, 0)}
    await depot.db.read(FORGET_PROMISES, {"sku": sku})


async def test_the_stock_of_nothing_cannot_be_audited(depot: Depot) -> None:
    assert (await calls.refused(depot.audited(new_sku()))).reason == "SKU_NOT_FOUND"


@pytest.mark.parametrize("repair", [False, True])
async def test_the_stock_agrees_with_its_history_at_every_moment_while_orders_come(
    depot: Depot, *, repair: bool
) -> None:
    sku = await depot.filled(500)

    async def orders() -> None:
        for _ in range(10):
            await depot.release(await depot.sell(sku, 1))
            await depot.sell(sku, 1)
            await depot.reserve(sku, 1)

    async def audits() -> list[bool]:
        return [(await depot.audited(sku, repair=repair)).agreed for _ in range(20)]

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(audits())
        for _ in range(4):
            group.create_task(orders())
    assert all(looking.result())
