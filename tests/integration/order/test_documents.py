"""Documents are numbered from 1 without gaps, once for each capture and refund, whoever issues and whoever dies on the way."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
import pytest_asyncio

from services.chassis import clock, database, errors
from services.chassis.outbox import outbox
from services.order import domain, events, saga
from services.order.domain import documents
from services.order.domain.documents import Kind
from services.order.store import documents as rows
from services.order.usecases import Orders, invoicing
from tests.integration.order import mortal_clerk, ordering
from tests.support import mortal, postgres

STAFF = None
NUMBERS = database.Statement("SELECT number FROM documents WHERE kind = %(kind)s ORDER BY number")


@pytest.fixture
def database_url(postgres_admin_url: str) -> Iterator[str]:
    """One for each test: numbers begin with 1."""
    with postgres.fresh_database(postgres_admin_url, "order") as url:
        yield url


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    opened = database.Database(database_url, outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None), pool_size=8)
    await opened.start()
    yield opened
    await opened.stop()


async def an_order(orders: Orders) -> domain.Order:
    return (await orders.accepting.create(ordering.draft(ordering.new_id()))).order


async def captured(db: database.Database, orders: Orders, *some: domain.Order) -> None:
    due = [invoicing.Settled(documents.Due(order.id, Kind.INVOICE)) for order in some]
    async with db.transaction() as transaction:
        await orders.invoicing.settled(transaction, due)


async def refunded(db: database.Database, orders: Orders, order: domain.Order, in_all: int) -> None:
    due = documents.Due(order.id, Kind.CREDIT_NOTE, in_all)
    async with db.transaction() as transaction:
        await orders.invoicing.settled(transaction, [invoicing.Settled(due)])


async def numbers(db: database.Database, kind: Kind = Kind.INVOICE) -> list[int]:
    return [row[0] for row in await db.read(NUMBERS, {"kind": kind})]


async def test_an_order_is_invoiced_when_its_payment_is_captured_and_goes_on(
    db: database.Database, orders: Orders
) -> None:
    order = await an_order(orders)
    for reply in (saga.Reply.STOCK_RESERVED, saga.Reply.PAYMENT_AUTHORIZED):
        await ordering.give(db, orders, saga.Event(order.id, reply, "test"))
    assert await orders.invoicing.of_order(order.id, owner_id=order.user_id) == []
    event = saga.Event(order.id, saga.Reply.PAYMENT_CAPTURED, saga.PAYMENT)
    async with db.transaction() as transaction:
        await orders.invoicing.settled(transaction, [invoicing.Settled(documents.Due(order.id, Kind.INVOICE), event)])
    assert await orders.invoicing.issue() == 1
    [invoice] = await orders.invoicing.of_order(order.id, owner_id=order.user_id)
    assert (invoice.document.number, invoice.document.amount) == (1, order.total)
    assert invoice.document.seller.name == "Souk Ltd"
    assert [entry.event for entry in await orders.reading.history(order.id, owner_id=None)][-1] == "PaymentCaptured"


async def test_a_repeated_event_is_no_second_invoice_and_leaves_no_gap(db: database.Database, orders: Orders) -> None:
    first, second = await an_order(orders), await an_order(orders)
    await captured(db, orders, first)
    await captured(db, orders, first)
    assert await orders.invoicing.issue() == 1
    await captured(db, orders, first, second)
    assert await orders.invoicing.issue() == 1
    assert await numbers(db) == [1, 2]


async def test_each_refund_is_credited_with_what_came_on_top(db: database.Database, orders: Orders) -> None:
    order = await an_order(orders)
    await captured(db, orders, order)
    await refunded(db, orders, order, 300)
    await refunded(db, orders, order, 450)
    await orders.invoicing.issue()
    await refunded(db, orders, order, 450)
    await refunded(db, orders, order, 1000)
    await orders.invoicing.issue()
    _, *notes = await orders.invoicing.of_order(order.id, owner_id=STAFF)
    assert [note.document.amount.amount for note in notes] == [300, 150, 550]
    assert {note.invoice for note in notes} == {"INV-" + notes[0].document.series + "-000001"}
    assert await numbers(db, Kind.CREDIT_NOTE) == [1, 2, 3]


async def test_an_unknown_order_gets_no_document(db: database.Database, orders: Orders) -> None:
    due = documents.Due(ordering.new_id(), Kind.INVOICE)
    async with db.transaction() as transaction:
        await orders.invoicing.settled(transaction, [invoicing.Settled(due)])
    assert await orders.invoicing.issue() == 0


async def test_many_who_issue_at_once_number_each_order_once_and_without_gaps(
    db: database.Database, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoicing, "AT_ONCE", 7)
    some = [await an_order(orders) for _ in range(60)]

    async def capture_and_issue(part: list[domain.Order]) -> None:
        for order in part:
            await captured(db, orders, order)
            await orders.invoicing.issue()

    await asyncio.gather(*(capture_and_issue(some[start::6]) for start in range(6)))
    while await orders.invoicing.issue():
        pass
    assert await numbers(db) == list(range(1, len(some) + 1))
    invoiced = await db.read(database.Statement("SELECT count(DISTINCT order_id) FROM documents"))
    assert invoiced == [(len(some),)]


async def test_who_dies_before_the_commit_has_given_no_number(
    db: database.Database, database_url: str, orders: Orders
) -> None:
    some = [await an_order(orders) for _ in range(3)]
    await captured(db, orders, *some)
    killed = database.Database(database_url, outbox.Outbox(events.PUBLISHED, clock.utc_now, lambda: None), pool_size=1)
    await killed.start()
    with pytest.raises(psycopg.errors.AdminShutdown):
        await _issue_and_die(killed, database_url)
    await killed.stop()
    assert await numbers(db) == []
    assert await orders.invoicing.issue() == 3
    assert await numbers(db) == [1, 2, 3]


async def _issue_and_die(killed: database.Database, database_url: str) -> None:
    """Number what is due, and lose the connection before the commit, as a process that is killed does."""
    try:
        async with killed.transaction() as transaction:
            assert await rows.issue(transaction, Kind.INVOICE, ordering.SELLER, most=10) == 3
            [[pid]] = await transaction.run(database.Statement("SELECT pg_backend_pid()"))
            with psycopg.connect(database_url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            await transaction.run(database.Statement("SELECT 1"))
    except errors.TransientError as error:
        raise (error.__cause__ or error) from None


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize("die_in", [1, 2], ids=["invoices", "credit-notes"])
async def test_who_is_killed_at_a_commit_leaves_no_gap_and_numbers_nothing_twice(
    db: database.Database, database_url: str, orders: Orders, die_in: int, at: str
) -> None:
    some = [await an_order(orders) for _ in range(3)]
    await captured(db, orders, *some)
    for order in some[:2]:
        await refunded(db, orders, order, 300)

    mortal.dies(mortal_clerk.MODULE, database_url, at=at, DIE_IN=str(die_in))
    done = die_in if at == mortal.COMMITTED else die_in - 1
    assert (await numbers(db), await numbers(db, Kind.CREDIT_NOTE)) == (
        [1, 2, 3][: 3 * done],
        [1, 2][: 2 * max(done - 1, 0)],
    )
    late = await an_order(orders)
    await captured(db, orders, late)
    await orders.invoicing.issue()

    assert (await numbers(db), await numbers(db, Kind.CREDIT_NOTE)) == ([1, 2, 3, 4], [1, 2])
    papers = [len(await orders.invoicing.of_order(order.id, owner_id=STAFF)) for order in (*some, late)]
    assert papers == [2, 2, 1, 1]


async def test_what_was_issued_is_never_changed(db: database.Database, orders: Orders) -> None:
    await captured(db, orders, await an_order(orders))
    await orders.invoicing.issue()
    for statement in ("UPDATE documents SET amount = 1", "DELETE FROM documents", "TRUNCATE documents"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            await db.read(database.Statement(statement))


async def test_an_order_that_an_older_release_captured_is_invoiced_when_somebody_asks(
    db: database.Database, orders: Orders
) -> None:
    order = await an_order(orders)
    for reply in (saga.Reply.STOCK_RESERVED, saga.Reply.PAYMENT_AUTHORIZED, saga.Reply.PAYMENT_CAPTURED):
        await ordering.give(db, orders, saga.Event(order.id, reply, "test"))
    [invoice] = await orders.invoicing.of_order(order.id, owner_id=order.user_id)
    assert invoice.document.number == 1
