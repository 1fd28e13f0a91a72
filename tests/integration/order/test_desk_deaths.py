"""`kill -9` at each commit of a return's steps: who repeats the call finds everything done once, and told once."""

import pytest

from services.chassis import database
from services.order import domain, saga
from services.order.domain.returns import Status
from services.order.saga import Reply
from services.order.usecases import Orders
from tests.integration.order import mortal_desk, ordering
from tests.support import mortal

TO_THE_DOOR = (
    *(Reply.STOCK_RESERVED, Reply.PAYMENT_AUTHORIZED, Reply.STOCK_COMMITTED, Reply.PAYMENT_CAPTURED),
    *(Reply.SHIPMENTS_CREATED, Reply.SHIPMENTS_HANDED_OVER, Reply.SHIPMENTS_DELIVERED),
)
# Each step, with those before it, where it leads to, and what is told of it.
STEPS = {
    "approve": ((), Status.APPROVED, "ReturnApproved"),
    "reject": (("approve",), Status.REJECTED, "ReturnRejected"),
    "receive": (("approve",), Status.RECEIVED, "ReturnReceived"),
    "inspect": (("approve", "receive"), Status.INSPECTED, "ReturnInspected"),
}
ORDERS = database.Statement("SELECT count(*) FROM orders WHERE user_id = %(user_id)s")


async def delivered(db: database.Database, orders: Orders) -> domain.Order:
    """An order of two units that has arrived."""
    order = (await orders.accepting.create(ordering.draft(ordering.new_id()))).order
    for reply in TO_THE_DOOR:
        await ordering.give(db, orders, saga.Event(order.id, reply, "test"))
    return order


async def history(orders: Orders, return_id: str) -> list[str]:
    """What happened to a return, oldest first."""
    _, entries = await orders.returning.get(return_id, owner_id=None)
    return [entry.event for entry in entries]


@pytest.mark.parametrize("at", mortal.POINTS)
async def test_a_return_is_requested_once_through_a_death(
    db: database.Database, database_url: str, orders: Orders, at: str
) -> None:
    order, request_id = await delivered(db, orders), ordering.new_id()
    mortal.dies(mortal_desk.MODULE, database_url, at=at, DOES="request", ORDER_ID=order.id, REQUEST_ID=request_id)
    found = await orders.returning.of_order(order.id, owner_id=None)
    assert len(found) == (at == mortal.COMMITTED)

    again = await mortal_desk.request(orders, order, request_id)

    assert [back.id for back in await orders.returning.of_order(order.id, owner_id=None)] == [again.id]
    assert await history(orders, again.id) == ["ReturnRequested"]
    assert (await ordering.told(db, order.id)).count("ReturnRequested") == 1


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_of_a_return_is_taken_and_told_once_through_a_death(
    db: database.Database, database_url: str, orders: Orders, step: str, at: str
) -> None:
    before, status, event = STEPS[step]
    order = await delivered(db, orders)
    back = await mortal_desk.request(orders, order, ordering.new_id())
    for earlier in before:
        await mortal_desk.STEPS[earlier](orders, back.id)

    mortal.dies(mortal_desk.MODULE, database_url, at=at, DOES=step, RETURN_ID=back.id)
    assert (event in await history(orders, back.id)) == (at == mortal.COMMITTED)
    await mortal_desk.STEPS[step](orders, back.id)

    moved, entries = await orders.returning.get(back.id, owner_id=None)
    assert (moved.status, len(entries), entries[-1].event) == (status, len(before) + 2, event)
    assert (await ordering.told(db, order.id)).count(event) == 1


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize("die_in", [1, 2], ids=["the-order", "its-mention"])
async def test_an_exchange_is_one_order_through_a_death(
    db: database.Database, database_url: str, orders: Orders, die_in: int, at: str
) -> None:
    order = await delivered(db, orders)
    back = await mortal_desk.request(orders, order, ordering.new_id())
    words = {"RETURN_ID": back.id, "USER_ID": order.user_id, "DIE_IN": str(die_in)}
    mortal.dies(mortal_desk.MODULE, database_url, at=at, DOES="exchange", **words)
    was_placed = (die_in, at) != (1, mortal.WRITTEN)
    assert await db.read(ORDERS, {"user_id": order.user_id}) == [(1 + was_placed,)]

    placed = await mortal_desk.exchange(orders, back.id, order.user_id)

    assert await db.read(ORDERS, {"user_id": order.user_id}) == [(2,)]
    moved, _ = await orders.returning.get(back.id, owner_id=None)
    assert (moved.exchange_order_id, await history(orders, back.id)) == (
        placed.order.id,
        ["ReturnRequested", "ReturnExchanged"],
    )
    assert await ordering.told(db, placed.order.id) == ["OrderPlaced"]
