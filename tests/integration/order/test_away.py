"""Nobody of the order service was there for an hour, or its database is that of an hour ago: no order is late for that."""

from collections.abc import Iterator

import pytest

from services.chassis import database
from services.order import saga
from services.order.domain import Status
from services.order.saga import Reply
from services.order.usecases import Orders
from tests.integration.order import ordering
from tests.support import postgres

WAIT_S, CATCH_UP_S = 100, 30
WAITS = saga.Waits(stock_s=WAIT_S, payment_s=WAIT_S, settlement_s=WAIT_S, compensation_s=WAIT_S, catch_up_s=CATCH_UP_S)
OVERDUE = saga.Waits(stock_s=0, payment_s=0, settlement_s=0, compensation_s=0, catch_up_s=CATCH_UP_S)
AN_HOUR_LATER = (
    database.Statement(
        "UPDATE sagas SET deadline = deadline - interval '1 hour', update_time = update_time - interval '1 hour'"
    ),
    database.Statement("UPDATE timers SET seen_at = seen_at - interval '1 hour'"),
)
LEFT = database.Statement("""
SELECT extract(epoch FROM deadline - clock_timestamp())::float8 FROM sagas WHERE order_id = %(order_id)s
""")


@pytest.fixture
def database_url(postgres_admin_url: str) -> Iterator[str]:
    """One for each test: whether somebody looked at deadlines before is what they are about."""
    with postgres.fresh_database(postgres_admin_url, "order") as url:
        yield url


def using(db: database.Database, waits: saga.Waits) -> Orders:
    return ordering.using(db, ordering.PriceList(), waits=waits)


async def an_hour_passes(db: database.Database) -> None:
    for statement in AN_HOUR_LATER:
        await db.read(statement)


async def accepted(orders: Orders) -> str:
    return (await orders.accepting.create(ordering.draft(ordering.new_id()))).order.id


async def left_s(db: database.Database, order_id: str) -> float:
    [[seconds]] = await db.read(LEFT, {"order_id": order_id})
    return float(seconds)


async def test_an_answer_that_lies_in_the_topic_is_heard_before_the_order_is_late(
    db: database.Database, caplog: pytest.LogCaptureFixture
) -> None:
    orders = using(db, OVERDUE)
    await orders.timer.expire()
    order_id = await accepted(orders)
    await an_hour_passes(db)
    assert await orders.timer.expire() == 0
    assert CATCH_UP_S - 10 < await left_s(db, order_id) <= CATCH_UP_S
    assert "nobody looked at deadlines" in caplog.text
    patient = using(db, WAITS)
    await ordering.give(db, patient, saga.Event(order_id, Reply.STOCK_RESERVED, "inventory"))
    assert (await patient.reading.get(order_id, owner_id=None)).saga.status is Status.RESERVED


async def test_an_order_waits_for_what_was_left_of_its_wait_and_not_for_time_before_it_was(
    db: database.Database,
) -> None:
    orders = using(db, WAITS)
    await orders.timer.expire()
    waiting = await accepted(orders)
    await an_hour_passes(db)
    # Calls are served while no worker is there.
    accepted_since = await accepted(orders)
    assert await orders.timer.expire() == 0
    for order_id in (waiting, accepted_since):
        # The deadline was set by this process's clock and is put off by the database's: they differ by a moment.
        assert WAIT_S - 10 < await left_s(db, order_id) < WAIT_S + 1


async def test_a_deadline_passes_when_somebody_was_there_all_the_time(db: database.Database) -> None:
    orders = using(db, OVERDUE)
    await orders.timer.expire()
    order_id = await accepted(orders)
    assert await orders.timer.expire() == 1
    assert (await orders.reading.get(order_id, owner_id=None)).saga.status is Status.CANCELLING


async def test_a_settled_order_is_not_given_up_by_a_service_that_forgot_it(
    db: database.Database, caplog: pytest.LogCaptureFixture
) -> None:
    orders = using(db, WAITS)
    order_id = await accepted(orders)
    paid = (Reply.STOCK_RESERVED, Reply.PAYMENT_AUTHORIZED, Reply.STOCK_COMMITTED, Reply.PAYMENT_CAPTURED)
    for reply in (*paid, Reply.SHIPMENTS_CREATED, Reply.STOCK_REJECTED, Reply.PAYMENT_CAPTURE_REFUSED):
        await ordering.give(db, orders, saga.Event(order_id, reply, "test"))
    settled = (await orders.reading.get(order_id, owner_id=None)).saga
    assert (settled.status, settled.awaiting) == (Status.FULFILLING, frozenset({"handover", "delivery"}))
    assert caplog.text.count("refuses what it did before") == 2
