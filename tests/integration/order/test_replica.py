"""Lists out of a real standby: what a caller did is never missing, however far it lags; without it the database is asked."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from services.chassis import credentials, database, pages, replica
from services.order import saga
from services.order.domain import Status, searching
from services.order.store import own_writes
from services.order.usecases import Orders
from services.order.usecases import searching as searches
from services.order.usecases.reading import Reading
from tests.integration.order import ordering
from tests.support import standby as standbys

PAGE = pages.Page(20)


@pytest.fixture(scope="module")
def standby(postgres_admin_url: str) -> Iterator[standbys.Standby]:
    with standbys.following(postgres_admin_url) as following:
        yield following


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists that may be read from the copy, and how many were."""

    old: replica.Reads
    reading: Reading
    searching: searches.Searching


@pytest_asyncio.fixture
async def copy(database_url: str, standby: standbys.Standby) -> AsyncIterator[database.Database]:
    """The copy as the service has it: its URL says where it is, the rest is the database's."""
    standby.go_on()
    opened = replica.opened(credentials.of(database_url), credentials.of(standby.address), pool_size=2)
    await opened.start()
    yield opened
    await opened.stop()


@pytest_asyncio.fixture
async def lists(db: database.Database, copy: database.Database, orders: Orders) -> Lists:
    await orders.timer.expire()
    old = replica.Reads(db, copy, mark=own_writes.MARK, age=own_writes.AGE, most_age_s=300)
    return Lists(old, Reading(db, old), searches.Searching(old))


async def ids(lists: Lists, user_id: str) -> list[str]:
    return [placed.order.id for placed in (await lists.reading.list(user_id, PAGE)).rows]


async def placed(orders: Orders, user_id: str) -> str:
    return (await orders.accepting.create(ordering.draft(user_id))).order.id


async def test_lists_come_from_a_copy_that_has_what_their_reader_did(
    lists: Lists, orders: Orders, standby: standbys.Standby
) -> None:
    user_id = ordering.new_id()
    order_id = await placed(orders, user_id)
    standby.go_on()
    assert await ids(lists, user_id) == [order_id]
    assert lists.old.served == 1


async def test_an_order_that_was_just_placed_is_never_missing_from_its_customers_list(
    lists: Lists, orders: Orders, standby: standbys.Standby
) -> None:
    user_id, other = ordering.new_id(), ordering.new_id()
    first = await placed(orders, user_id)
    seen_by_other = await placed(orders, other)
    standby.go_on()
    standby.hold()
    second = await placed(orders, user_id)
    assert await ids(lists, user_id) == [second, first]
    assert lists.old.served == 0
    # Who wrote nothing since is served by the copy, although it lags.
    assert await ids(lists, other) == [seen_by_other]
    assert lists.old.served == 1
    standby.go_on()
    assert await ids(lists, user_id) == [second, first]
    assert lists.old.served == 2


async def test_an_order_that_was_just_cancelled_is_never_shown_as_it_was(
    lists: Lists, orders: Orders, standby: standbys.Standby
) -> None:
    user_id, clerk = ordering.new_id(), ordering.new_id()
    order_id = await placed(orders, user_id)
    standby.go_on()
    standby.hold()
    await orders.advancing.cancel(order_id, by=user_id, owner_id=user_id)
    [shown] = (await lists.reading.list(user_id, PAGE)).rows
    assert shown.saga.status is Status.CANCELLING
    # The clerk did nothing to it, and may see what it was a moment ago.
    [old] = (await lists.searching.search(searching.Filters(user_id=user_id), PAGE, caller=clerk)).rows
    assert old.saga.status is Status.PENDING


async def test_what_an_administrator_pushed_on_is_not_stuck_in_their_next_search(
    db: database.Database, lists: Lists, orders: Orders, standby: standbys.Standby
) -> None:
    user_id, clerk = ordering.new_id(), ordering.new_id()
    order_id = await placed(orders, user_id)
    await ordering.give(db, orders, saga.Event(order_id, saga.Reply.CANCEL_REQUESTED, "test"))
    stuck = "UPDATE sagas SET stuck = true, deadline = NULL WHERE order_id = %(id)s"
    await db.read(database.Statement(stuck), {"id": order_id})
    wanted = searching.Filters(user_id=user_id, stuck=True)
    standby.go_on()
    standby.hold()
    assert len((await lists.searching.search(wanted, PAGE, caller=clerk)).rows) == 1
    await orders.advancing.resume(order_id, by=clerk)
    assert (await lists.searching.search(wanted, PAGE, caller=clerk)).rows == []


async def test_a_copy_that_is_too_old_is_not_asked(
    db: database.Database, copy: database.Database, orders: Orders, standby: standbys.Standby
) -> None:
    await orders.timer.expire()
    user_id = ordering.new_id()
    order_id = await placed(orders, user_id)
    standby.go_on()
    strict = replica.Reads(db, copy, mark=own_writes.MARK, age=own_writes.AGE, most_age_s=-1)
    assert [one.order.id for one in (await Reading(db, strict).list(user_id, PAGE)).rows] == [order_id]
    assert strict.served == 0


async def test_a_copy_that_is_away_costs_one_reader_a_moment_and_nobody_an_answer(
    db: database.Database, orders: Orders
) -> None:
    user_id = ordering.new_id()
    order_id = await placed(orders, user_id)
    nowhere = replica.opened(credentials.of("postgresql://u@127.0.0.1:1/x"), credentials.of(""), pool_size=1)
    await nowhere.start()
    old = replica.Reads(db, nowhere, mark=own_writes.MARK, age=own_writes.AGE)
    began = time.monotonic()
    for _ in range(20):
        assert [one.order.id for one in (await Reading(db, old).list(user_id, PAGE)).rows] == [order_id]
    assert time.monotonic() - began < 2 * replica.PATIENCE_S + 4
    await nowhere.stop()
