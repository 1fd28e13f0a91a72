"""Orders watched: streams share one query, are limited, and are told all that happens, in order and once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
import pytest_asyncio

from services.chassis import database, errors
from services.order import saga
from services.order.saga import Reply
from services.order.store import history
from services.order.usecases import Orders, watching
from tests.integration.order.ordering import PriceList, draft, give, new_id, using

TO_THE_END = (
    *(Reply.STOCK_RESERVED, Reply.PAYMENT_AUTHORIZED, Reply.PAYMENT_CAPTURED, Reply.STOCK_COMMITTED),
    *(Reply.SHIPMENTS_CREATED, Reply.SHIPMENTS_HANDED_OVER, Reply.SHIPMENTS_DELIVERED),
)
ALL = list(range(1, len(TO_THE_END) + 2))


@asynccontextmanager
async def feeding(orders: Orders) -> AsyncIterator[Orders]:
    """The use cases, with the loop that feeds their streams."""
    await orders.watching.start()
    try:
        yield orders
    finally:
        await orders.watching.stop()


@pytest_asyncio.fixture
async def watched(orders: Orders) -> AsyncIterator[Orders]:
    async with feeding(orders) as fed:
        yield fed


async def test_a_watcher_sees_the_whole_history_and_then_it_ends(db: database.Database, watched: Orders) -> None:
    placed = await watched.accepting.create(draft(new_id()))
    order_id = placed.order.id
    seen: list[str] = []

    async def watch() -> None:
        seen.extend([entry.event async for entry in watched.watching.watch(order_id, caller="c", owner_id=None)])

    watching = asyncio.create_task(watch())
    for reply in TO_THE_END:
        await give(db, watched, saga.Event(order_id, reply, "test"))
    async with asyncio.timeout(20):
        await watching
    assert seen == ["OrderPlaced", *TO_THE_END]
    assert watched.watching.open == 0


async def test_a_watcher_that_comes_back_sees_what_it_has_not_seen_and_what_happens_then(
    db: database.Database, watched: Orders
) -> None:
    order_id = (await watched.accepting.create(draft(new_id()))).order.id
    await give(db, watched, saga.Event(order_id, Reply.STOCK_RESERVED, "test"))
    seen: list[str] = []
    arrived = asyncio.Event()

    async def watch() -> None:
        async for entry in watched.watching.watch(order_id, caller="c", owner_id=None, after=1):
            seen.append(entry.event)
            arrived.set()

    watching = asyncio.create_task(watch())
    async with asyncio.timeout(20):
        await arrived.wait()
        await give(db, watched, saga.Event(order_id, Reply.CANCEL_REQUESTED, "test"))
        for reply in (Reply.STOCK_RELEASED, Reply.PAYMENT_VOIDED):
            await give(db, watched, saga.Event(order_id, reply, "test"))
        await watching
    assert seen == [Reply.STOCK_RESERVED, Reply.CANCEL_REQUESTED, Reply.STOCK_RELEASED, Reply.PAYMENT_VOIDED]


async def read_all(orders: Orders, order_id: str, *, caller: str = "c", after: int = 0) -> list[int]:
    stream = orders.watching.watch(order_id, caller=caller, owner_id=None, after=after)
    return [entry.sequence async for entry in stream]


async def until_open(orders: Orders, streams: int) -> None:
    async with asyncio.timeout(20):
        while orders.watching.open != streams:
            await asyncio.sleep(0.005)


async def test_streams_of_one_order_that_begin_at_different_entries_miss_nothing(
    db: database.Database, watched: Orders
) -> None:
    order_id = (await watched.accepting.create(draft(new_id()))).order.id
    for reply in TO_THE_END[:-1]:
        await give(db, watched, saga.Event(order_id, reply, "test"))
    reading = [asyncio.create_task(read_all(watched, order_id, caller=str(n), after=n % 5)) for n in range(20)]
    await until_open(watched, 20)
    await give(db, watched, saga.Event(order_id, TO_THE_END[-1], "test"))
    async with asyncio.timeout(20):
        assert await asyncio.gather(*reading) == [ALL[n % 5 :] for n in range(20)]


async def test_a_stream_that_begins_while_another_is_asked_for_is_told_all(
    db: database.Database, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = (await orders.accepting.create(draft(new_id()))).order.id
    await give(db, orders, saga.Event(order_id, TO_THE_END[0], "test"))
    real = history.news
    late: list[asyncio.Task[list[int]]] = []

    async def slow(*arguments: object) -> list[history.News]:
        found = await real(*arguments)  # type: ignore[arg-type]  # handed on
        if not late:
            late.append(asyncio.create_task(read_all(orders, order_id, caller="late")))
            await until_open(orders, 2)
            await asyncio.sleep(0)
        return found

    async with feeding(orders):
        monkeypatch.setattr(history, "news", slow)
        early = asyncio.create_task(read_all(orders, order_id, after=1))
        await until_open(orders, 2)
        for reply in TO_THE_END[1:]:
            await give(db, orders, saga.Event(order_id, reply, "test"))
        async with asyncio.timeout(20):
            assert await early == ALL[1:]
            assert await late[0] == ALL


async def test_what_another_process_writes_is_seen_by_the_next_tick(db: database.Database, watched: Orders) -> None:
    order_id = (await watched.accepting.create(draft(new_id()))).order.id
    elsewhere = using(db, PriceList())
    reading = asyncio.create_task(read_all(watched, order_id))
    await until_open(watched, 1)
    for reply in TO_THE_END:
        await give(db, elsewhere, saga.Event(order_id, reply, "test"))
    async with asyncio.timeout(20):
        assert await reading == ALL


async def test_a_settled_order_is_told_and_ends_wherever_one_begins(db: database.Database, watched: Orders) -> None:
    order_id = (await watched.accepting.create(draft(new_id()))).order.id
    for reply in TO_THE_END:
        await give(db, watched, saga.Event(order_id, reply, "test"))
    async with asyncio.timeout(20):
        assert [await read_all(watched, order_id, after=n) for n in (0, 3, 8, 99)] == [ALL, ALL[3:], [], []]


async def test_a_tick_is_one_statement_for_a_hundred_watched_orders(
    db: database.Database, prices: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = using(db, prices, limits=watching.Limits(of_caller=200))
    placed = await asyncio.gather(*(orders.accepting.create(draft(new_id())) for _ in range(100)))
    order_ids = [item.order.id for item in placed]
    reading = [asyncio.create_task(read_all(orders, order_id)) for order_id in order_ids]
    await until_open(orders, 100)
    async with asyncio.timeout(20):
        while len(orders.watching._streams) < 100:
            await asyncio.sleep(0.005)
    statements: list[object] = []
    real = db.read

    async def read(statement: database.Statement, parameters: database.Parameters | None = None) -> list[database.Row]:
        statements.append(statement)
        return await real(statement, parameters)

    monkeypatch.setattr(db, "read", read)
    assert await orders.watching.poll() == 100
    assert len(statements) == 1
    assert await orders.watching.poll() == 0
    assert len(statements) == 1, "between ticks nobody is asked about what did not move"
    orders.watching.moved(order_ids[:3])
    assert await orders.watching.poll() == 0
    assert len(statements) == 2
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    assert (orders.watching.open, orders.watching._streams) == (0, {})


async def test_one_caller_has_so_many_streams_and_no_more(db: database.Database, prices: PriceList) -> None:
    orders = using(db, prices, limits=watching.Limits(of_caller=2, in_all=3))
    order_id = (await orders.accepting.create(draft(new_id()))).order.id
    async with feeding(orders):
        streams = [orders.watching.watch(order_id, caller=caller, owner_id=None) for caller in ("a", "a", "b")]
        for stream in streams:
            assert (await anext(stream)).sequence == 1
        for caller, scope, limit in (("a", "caller", "2"), ("c", "process", "3")):
            with pytest.raises(errors.DomainError) as refused:
                await read_all(orders, order_id, caller=caller)
            error = refused.value
            assert (error.code, error.reason) == (errors.Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
            assert error.metadata == {"limit": limit, "scope": scope}
            assert error.retry_after_s
        await streams[0].aclose()
        async with aclosing(orders.watching.watch(order_id, caller="a", owner_id=None)) as again:
            assert (await anext(again)).sequence == 1
        for stream in streams:
            await stream.aclose()
    assert orders.watching.open == 0


async def test_a_refused_stream_takes_no_place(watched: Orders) -> None:
    for _ in range(20):
        with pytest.raises(errors.DomainError, match="ORDER_NOT_FOUND"):
            await read_all(watched, new_id())
    assert watched.watching.open == 0
