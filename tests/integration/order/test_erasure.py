"""What is left of an erased user's orders: what was bought and paid, and nothing that names the person."""

import psycopg
import pytest

from services.chassis import database, erasure
from services.order import events, saga, store
from services.order.domain import Status
from services.order.usecases import Orders
from souk.user.v1 import user_events_pb2
from tests.integration.order.ordering import ADDRESS, draft, give, new_id
from tests.support import hearing

_ROW = database.Statement("SELECT to_jsonb(o)::text FROM orders AS o WHERE id = %(id)s")
_DUE = database.Statement("UPDATE erased_users SET next_look_at = clock_timestamp()")
_LOOKS = database.Statement("SELECT looks, next_look_at > clock_timestamp() FROM erased_users WHERE user_id = %(id)s")


async def erase(db: database.Database, orders: Orders, user_id: str) -> None:
    """The account is erased, and whatever is due is looked at."""
    erasing = erasure.Erasure(db, [store.ERASE])
    heard = events.subscribers(orders, erasing)
    await hearing.hear(db, heard, user_events_pb2.UserErased(user_id=user_id))
    await erasing.work()


async def written(db: database.Database, order_id: str) -> str:
    [(row,)] = await db.read(_ROW, {"id": order_id})
    return str(row)


async def ended(db: database.Database, orders: Orders, user_id: str) -> str:
    """An order that was cancelled because nothing was in stock."""
    order_id = (await orders.accepting.create(draft(user_id))).order.id
    await give(db, orders, saga.Event(order_id, saga.Reply.STOCK_REJECTED, saga.INVENTORY, reason="OUT_OF_STOCK"))
    return order_id


async def test_an_order_that_ended_keeps_what_was_bought_and_where_taxes_go_and_names_nobody(
    db: database.Database, orders: Orders
) -> None:
    user_id = new_id()
    order_id = await ended(db, orders, user_id)
    before = (await orders.reading.get(order_id, owner_id=None)).order
    assert ADDRESS.line1 in await written(db, order_id)

    await erase(db, orders, user_id)

    after = (await orders.reading.get(order_id, owner_id=None)).order
    assert (after.lines, after.total, after.address.country) == (before.lines, before.total, ADDRESS.country)
    row = await written(db, order_id)
    named = (ADDRESS.recipient, ADDRESS.line1, ADDRESS.city, ADDRESS.postal_code)
    assert not [name for name in named if f'"{name}"' in row]


async def test_an_order_on_its_way_keeps_its_address_until_it_ended(db: database.Database, orders: Orders) -> None:
    user_id = new_id()
    placed = await orders.accepting.create(draft(user_id))

    await erase(db, orders, user_id)
    assert (await orders.reading.get(placed.order.id, owner_id=None)).order.address == ADDRESS

    rejected = saga.Event(placed.order.id, saga.Reply.STOCK_REJECTED, saga.INVENTORY, reason="OUT_OF_STOCK")
    await give(db, orders, rejected)
    await db.read(_DUE)
    await erasure.Erasure(db, [store.ERASE]).work()
    after = await orders.reading.get(placed.order.id, owner_id=None)
    assert (after.saga.status, after.order.address.line1) == (Status.CANCELLED, "")


async def test_orders_of_others_stay_as_they_are(db: database.Database, orders: Orders) -> None:
    order_id = await ended(db, orders, new_id())
    await erase(db, orders, new_id())
    assert (await orders.reading.get(order_id, owner_id=None)).order.address == ADDRESS


async def test_a_user_is_looked_at_again_later_and_heard_of_once(db: database.Database, orders: Orders) -> None:
    user_id = new_id()
    for _ in range(2):
        await erase(db, orders, user_id)
    assert await db.read(_LOOKS, {"id": user_id}) == [(1, True)]


async def test_a_look_that_fails_erased_nothing_and_comes_again(db: database.Database, orders: Orders) -> None:
    user_id = new_id()
    order_id = await ended(db, orders, user_id)
    broken = erasure.Erasure(db, [store.ERASE, database.Statement("SELECT 1 / (cardinality(%(users)s::uuid[]) - 1)")])
    await hearing.hear(db, events.subscribers(orders, broken), user_events_pb2.UserErased(user_id=user_id))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await broken.work()
    assert ADDRESS.line1 in await written(db, order_id)
    await erasure.Erasure(db, [store.ERASE]).work()
    assert ADDRESS.line1 not in await written(db, order_id)
