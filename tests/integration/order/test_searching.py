"""Orders across customers: every filter alone and together, page by page, along an index at any size; what vendors see."""

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from services.chassis import database, errors, money, pages
from services.order import domain, saga
from services.order.domain import Status, searching
from services.order.saga import Reply
from services.order.store import searching as rows
from services.order.usecases import Orders
from tests.integration.order import ordering

STAFF = None
PAGE = pages.Page(100)
MANY, AT_ONCE = 100_000, 5_000
# Of every 1,000 orders of a shop 990 are delivered; each has 2 of 500 SKUs, and each fifth one a line of one of 50 vendors.
FILL = database.Statement("""
WITH made AS (
  SELECT n, (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid AS id
  FROM generate_series(%(first)s::bigint, %(last)s) AS n),
placed AS (
  INSERT INTO orders (id, user_id, currency, total, lines, address, payment_method, create_time)
  SELECT id, ('00000000-0000-7000-8000-' || lpad(to_hex(n %% 5000), 12, '0'))::uuid, 'USD', 100, jsonb_build_array(
    jsonb_build_object('sku', 'S' || n %% 500, 'title', 'x', 'quantity', 1, 'price', 50)
      || CASE WHEN n %% 5 = 0 THEN jsonb_build_object('vendor', 'v' || n %% 50) ELSE '{}' END,
    jsonb_build_object('sku', 'T' || n %% 499, 'title', 'x', 'quantity', 1, 'price', 50)), %(address)s::jsonb, '',
    clock_timestamp()
  FROM made)
INSERT INTO sagas (order_id, id, definition_version, status, step, awaiting, version, update_time, deadline, attempts, stuck,
  payment_id, cancel_reason)
SELECT id, id, 3, CASE WHEN n %% 1000 < 990 THEN 'DELIVERED' WHEN n %% 1000 < 995 THEN 'SHIPPED' ELSE 'CANCELLED' END,
  CASE WHEN n %% 1000 < 990 THEN 'DONE' ELSE 'DELIVERY' END, '', 1, clock_timestamp(),
  CASE WHEN n %% 1000 >= 990 THEN clock_timestamp() + interval '1 day' END, 0, n %% 10000 = 1, '', '' FROM made
""")


async def an_order(orders: Orders, sku: str = "TEA") -> domain.Order:
    return (await orders.accepting.create(ordering.draft(ordering.new_id(), sku=sku))).order


async def found(orders: Orders, filters: searching.Filters) -> list[str]:
    return [placed.order.id for placed in (await orders.searching.search(filters, PAGE, caller=ordering.new_id())).rows]


async def test_each_filter_leaves_the_orders_that_meet_it(db: database.Database, orders: Orders) -> None:
    tea, pot = await an_order(orders), await an_order(orders, "POT")
    await ordering.give(db, orders, saga.Event(pot.id, Reply.STOCK_RESERVED, "inventory"))
    for filters, expected in [
        (searching.Filters(), [pot.id, tea.id]),
        (searching.Filters(sku="POT"), [pot.id]),
        (searching.Filters(status=Status.PENDING), [tea.id]),
        (searching.Filters(user_id=tea.user_id), [tea.id]),
        (searching.Filters(user_id=tea.user_id, sku="POT"), []),
        (searching.Filters(status=Status.RESERVED, sku="POT"), [pot.id]),
        (searching.Filters(status=Status.PENDING, sku="POT"), []),
    ]:
        assert await found(orders, filters) == expected


async def test_from_is_within_and_to_is_not(orders: Orders) -> None:
    order = await an_order(orders)
    moment = order.create_time.replace(microsecond=order.create_time.microsecond // 1000 * 1000)
    only = searching.Filters(user_id=order.user_id)
    after = searching.Span(start=moment, end=moment + timedelta(milliseconds=1))
    assert await found(orders, searching.Filters(span=after, user_id=only.user_id)) == [order.id]
    before = searching.Span(end=moment)
    assert await found(orders, searching.Filters(span=before, user_id=only.user_id)) == []


async def test_stuck_are_those_that_wait_for_a_person_or_that_no_timer_saw(
    db: database.Database, orders: Orders
) -> None:
    fine, forgotten, stuck = await an_order(orders), await an_order(orders), await an_order(orders)
    late = "UPDATE sagas SET deadline = clock_timestamp() - interval '2 minutes' WHERE order_id = %(id)s"
    await db.read(database.Statement(late), {"id": forgotten.id})
    gave_up = "UPDATE sagas SET stuck = true, deadline = NULL WHERE order_id = %(id)s"
    await db.read(database.Statement(gave_up), {"id": stuck.id})
    assert await found(orders, searching.Filters(stuck=True)) == [stuck.id, forgotten.id]
    assert fine.id in await found(orders, searching.Filters())


async def test_a_vendor_sees_its_own_lines_and_their_sums_and_where_to_ship_them_while_they_are_to_be_shipped(
    db: database.Database, prices: ordering.PriceList, orders: Orders
) -> None:
    prices.vendors = {"POT": "potter", "CUP": "potter", "TEA": "grocer"}
    prices.prices["CUP"] = 300
    basket = domain.Basket(
        ordering.new_id(), tuple(domain.Item(sku, 2) for sku in ("CUP", "POT", "TEA")), ordering.ADDRESS
    )
    order = (await orders.accepting.create(domain.Draft(basket, "card_approved", "", b""))).order
    [seen] = (await orders.searching.of_vendor("potter", searching.Span(), PAGE, owner_id="potter")).rows
    assert [line.sku for line in seen.lines] == ["CUP", "POT"]
    assert seen.totals.total == money.Money("USD", 2 * 300 + 2 * 1999)
    assert seen.address is None
    for reply in (Reply.STOCK_RESERVED, Reply.PAYMENT_AUTHORIZED):
        await ordering.give(db, orders, saga.Event(order.id, reply, "test"))
    [confirmed] = (await orders.searching.of_vendor("grocer", searching.Span(), PAGE, owner_id=STAFF)).rows
    assert confirmed.address == ordering.ADDRESS
    assert "potter" not in repr(confirmed)


async def test_a_vendor_asks_for_no_other(orders: Orders) -> None:
    with pytest.raises(errors.DomainError, match="does not exist"):
        await orders.searching.of_vendor("potter", searching.Span(), PAGE, owner_id="grocer")


@pytest_asyncio.fixture(loop_scope="function")
async def filled(db: database.Database) -> AsyncIterator[database.Database]:
    """A database with so many orders as a shop has after some weeks."""
    for table in ("orders", "sagas", "order_skus"):
        await db.read(database.Statement(f"TRUNCATE {table}"))
    address = json.dumps(dataclasses.asdict(ordering.ADDRESS))
    for first in range(1, MANY, AT_ONCE):
        await db.read(FILL, {"first": first, "last": first + AT_ONCE - 1, "address": address})
    await db.read(database.Statement("ANALYZE"))
    yield db
    for table in ("orders", "sagas", "order_skus"):
        await db.read(database.Statement(f"TRUNCATE {table}"))


RECENT = searching.Span(datetime.fromtimestamp(1700000000 + MANY // 2, UTC))
EACH = {
    "nothing": searching.Filters(),
    "time": searching.Filters(RECENT),
    "customer": searching.Filters(user_id="00000000-0000-7000-8000-000000000007"),
    "sku": searching.Filters(sku="S7"),
    "many": searching.Filters(status=Status.DELIVERED),
    "few": searching.Filters(status=Status.CANCELLED),
    "none": searching.Filters(status=Status.CANCELLING),
    "stuck": searching.Filters(stuck=True),
    "sku and status": searching.Filters(sku="S7", status=Status.DELIVERED),
    "customer and sku in time": searching.Filters(RECENT, user_id="00000000-0000-7000-8000-000000000007", sku="S7"),
    "stuck with status": searching.Filters(stuck=True, status=Status.SHIPPED),
}


async def plan(db: database.Database, statement: database.Statement, values: object) -> str:
    text, _ = statement.compiled
    [[told]] = await db.read(database.Statement(f"EXPLAIN (FORMAT JSON) {text}"), values)  # type: ignore[arg-type]  # as the store gave it
    return json.dumps(told)


async def test_no_search_reads_a_table_from_end_to_end(filled: database.Database) -> None:
    for name, filters in EACH.items():
        for page in (pages.Page(20), pages.Page(20, "018bcfe6-0000-7000-8000-000000000000")):
            told = await plan(filled, *rows.statement(filters, page))
            assert "Seq Scan" not in told, (name, told)
    told = await plan(filled, *rows.vendors_statement("v5", searching.Span(), pages.Page(20)))
    assert "Seq Scan" not in told, told


async def test_pages_tell_every_order_once_and_newest_first(filled: database.Database) -> None:
    after, told = "", list[str]()
    while True:
        found = await rows.search(filled, searching.Filters(sku="S7"), pages.Page(30, after))
        shown = pages.cut(found, pages.Page(30), lambda placed: placed.order.id)
        told += [placed.order.id for placed in shown.rows]
        if not (after := shown.next_after):
            break
    assert (len(told), told) == (MANY // 500, sorted(set(told), reverse=True))
