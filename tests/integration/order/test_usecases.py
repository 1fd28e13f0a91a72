"""Orders on a real database: accepted once, carried on in batches, timed out."""

import asyncio
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from services.chassis import database, errors, money, pages
from services.order import domain, saga, store
from services.order.domain import Status
from services.order.saga import Reply
from services.order.usecases import Orders, timer
from souk.order.v1 import order_events_pb2
from tests.integration.order.ordering import OVERDUE, PriceList, counted, draft, give, new_id, told, using

ANN = new_id()
SET_SHORTAGES = database.Statement("UPDATE sagas SET shortages = %(rows)s::jsonb WHERE order_id = %(order_id)s")
LEFT = database.Statement("""
SELECT extract(epoch FROM deadline - clock_timestamp())::float8 FROM sagas WHERE order_id = %(order_id)s
""")


async def test_an_accepted_order_is_pending_at_the_catalogs_price(db: database.Database, orders: Orders) -> None:
    placed = await orders.accepting.create(draft(new_id()))
    assert placed.saga.status is Status.PENDING
    assert placed.order.total == money.Money("USD", 1000)
    assert await told(db, placed.order.id) == ["OrderPlaced"]
    stored = await orders.reading.get(placed.order.id, owner_id=placed.order.user_id)
    assert stored.order == placed.order
    assert stored.saga.deadline is not None


async def test_order_saga_history_event_and_claim_are_one_transaction(
    db: database.Database, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = new_id()

    class Died(BaseException):
        """The process dies on the line before the commit."""

    before = await counted(db)

    async def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(db._emitter, "write", dies)
        with pytest.raises(Died):
            await orders.accepting.accept([draft(user, request_id="r1")])
    assert await counted(db) == before
    placed = await orders.accepting.create(draft(user, request_id="r1"))
    assert await counted(db) == {table: count + 1 for table, count in before.items()}
    assert [entry.event for entry in await orders.reading.history(placed.order.id, owner_id=user)] == ["OrderPlaced"]


async def test_a_repeated_request_answers_with_the_first_order(db: database.Database, orders: Orders) -> None:
    user = new_id()
    first = await orders.accepting.create(draft(user, request_id="r1"))
    await give(db, orders, saga.Event(first.order.id, Reply.STOCK_RESERVED, "inventory"))
    again = await orders.accepting.create(draft(user, request_id="r1"))
    assert again.order.id == first.order.id
    assert again.saga.status is Status.RESERVED, "as it is now"
    assert (await orders.accepting.create(draft(new_id(), request_id="r1"))).order.id != first.order.id, (
        "ids are per caller"
    )


async def test_an_order_without_a_payment_method_asks_for_its_money_when_its_stock_is_held(
    db: database.Database, orders: Orders
) -> None:
    placed = await orders.accepting.create(replace(draft(new_id()), payment_method=""))
    await give(db, orders, saga.Event(placed.order.id, Reply.STOCK_RESERVED, "inventory"))
    text = "SELECT payload FROM outbox WHERE key = %(key)s AND type = 'souk.order.v1.PaymentRequested'"
    [[payload]] = await db.read(database.Statement(text), {"key": placed.order.id})
    requested = order_events_pb2.PaymentRequested.FromString(payload)
    assert (requested.payment_method, requested.amount.units) == ("", 10)


async def test_the_same_request_id_with_another_content_is_refused(orders: Orders) -> None:
    user = new_id()
    await orders.accepting.create(draft(user, request_id="r1", content=b"a"))
    with pytest.raises(errors.DomainError, match="REQUEST_ID_REUSED"):
        await orders.accepting.create(draft(user, request_id="r1", content=b"b"))


async def test_a_repeated_request_finds_its_order_though_nobody_could_order_that_now(
    orders: Orders, prices: PriceList
) -> None:
    user = new_id()
    first = await orders.accepting.create(draft(user, request_id="r1"))
    del prices.prices["TEA"]

    assert (await orders.accepting.create(draft(user, request_id="r1"))).order.id == first.order.id
    with pytest.raises(errors.DomainError, match="REQUEST_ID_REUSED"):
        await orders.accepting.create(draft(user, request_id="r1", content=b"b"))
    for refused in (draft(user, request_id="r2"), draft(new_id(), request_id="r1"), draft(user)):
        with pytest.raises(errors.DomainError, match="SKU_UNKNOWN"):
            await orders.accepting.create(refused)


async def test_repetitions_and_refusals_of_one_batch_do_not_mix(orders: Orders, prices: PriceList) -> None:
    user = new_id()
    first = await orders.accepting.create(draft(user, request_id="r1"))
    del prices.prices["TEA"]
    drafts = [
        draft(user, request_id="new", sku="POT"),
        draft(user, request_id="r1"),
        draft(user, request_id="refused"),
        draft(user, request_id="new", sku="POT"),
    ]

    new, repeated, refused, twin = await orders.accepting.accept(drafts)

    assert isinstance(new, domain.Placed)
    assert isinstance(repeated, domain.Placed)
    assert (repeated.order.id, twin) == (first.order.id, new)
    assert isinstance(refused, errors.DomainError)
    assert refused.reason == "SKU_UNKNOWN"


async def test_a_failed_request_does_not_burn_its_id(orders: Orders, prices: PriceList) -> None:
    user = new_id()
    with pytest.raises(errors.DomainError, match="SKU_UNKNOWN"):
        await orders.accepting.create(draft(user, request_id="r1", sku="NEW"))
    prices.prices["NEW"] = 1
    assert (await orders.accepting.create(draft(user, request_id="r1", sku="NEW"))).saga.status is Status.PENDING


async def test_fifty_calls_with_one_request_id_make_one_order(orders: Orders) -> None:
    user = new_id()
    placed = await asyncio.gather(*(orders.accepting.create(draft(user, request_id="same")) for _ in range(50)))
    assert len({item.order.id for item in placed}) == 1
    assert len((await orders.reading.list(user, pages.Page(100))).rows) == 1


async def test_a_wrong_order_fails_alone_among_many(orders: Orders) -> None:
    user = new_id()
    drafts = [draft(user), draft(user, sku="NOTHING"), draft(user)]
    results = await asyncio.gather(*(orders.accepting.create(item) for item in drafts), return_exceptions=True)
    assert isinstance(results[1], errors.DomainError)
    assert [isinstance(item, domain.Placed) for item in results] == [True, False, True]


async def test_without_prices_nothing_is_accepted(orders: Orders, prices: PriceList) -> None:
    prices.away = True
    user = new_id()
    with pytest.raises(errors.TransientError):
        await orders.accepting.create(draft(user))
    assert not (await orders.reading.list(user, pages.Page(10))).rows


async def test_a_batch_of_replies_carries_each_order_on(db: database.Database, orders: Orders) -> None:
    placed = await asyncio.gather(*(orders.accepting.create(draft(new_id())) for _ in range(3)))
    one, two, three = (item.order.id for item in placed)
    await give(
        db,
        orders,
        saga.Event(one, Reply.STOCK_RESERVED, "inventory"),
        saga.Event(two, Reply.STOCK_REJECTED, "inventory", shortages=(domain.Shortage("TEA", 2, 1),)),
        saga.Event(three, Reply.PAYMENT_AUTHORIZED, "payment"),
        saga.Event(new_id(), Reply.STOCK_RESERVED, "inventory"),
    )
    statuses = [(await orders.reading.get(order_id, owner_id=None)).saga for order_id in (one, two, three)]
    assert [item.status for item in statuses] == [Status.RESERVED, Status.CANCELLED, Status.PENDING]
    assert statuses[1].shortages == (domain.Shortage("TEA", 2, 1),)
    assert await told(db, one) == ["OrderPlaced", "PaymentRequested"]
    assert await told(db, two) == ["OrderPlaced", "OrderCancellationCompleted"]


async def test_an_overdue_order_is_compensated_by_one_timer_only(db: database.Database, prices: PriceList) -> None:
    hasty = using(db, prices, waits=OVERDUE)
    placed = await hasty.accepting.create(draft(new_id()))
    patient = using(db, prices)
    await asyncio.gather(*(patient.timer.expire() for _ in range(5)))
    now = await patient.reading.get(placed.order.id, owner_id=None)
    assert (now.saga.status, now.saga.cancel_reason) == (Status.CANCELLING, "STOCK_TIMEOUT")
    assert (await told(db, placed.order.id)).count("OrderCancelled") == 1
    entry = (await patient.reading.history(placed.order.id, owner_id=None))[-1]
    assert (entry.actor, entry.event) == ("timer", "DeadlinePassed")


def timer_alarms() -> float:
    labels = {"service": store.SERVICE, "alarm": "timer_failed"}
    return REGISTRY.get_sample_value("souk_alarms_total", labels) or 0.0


async def test_a_saga_that_the_timer_cannot_handle_fails_alone_and_waits_and_the_others_are_compensated(
    db: database.Database, prices: PriceList
) -> None:
    hasty, patient = using(db, prices, waits=OVERDUE), using(db, prices)
    first, bad, last = [(await hasty.accepting.create(draft(new_id()))).order.id for _ in range(3)]
    await db.read(SET_SHORTAGES, {"order_id": bad, "rows": '[{"of": "a later release"}]'})
    before = timer_alarms()
    assert await patient.timer.expire() == 3
    for order_id in (first, last):
        assert (await patient.reading.get(order_id, owner_id=None)).saga.status is Status.CANCELLING
        assert (await told(db, order_id)).count("OrderCancelled") == 1
    assert timer_alarms() == before + 1
    assert await told(db, bad) == ["OrderPlaced"]
    [[left_s]] = await db.read(LEFT, {"order_id": bad})
    assert timer.FAILED_WAIT_S - 30 < left_s <= timer.FAILED_WAIT_S
    assert await patient.timer.expire() == 0, "it does not stand in front of the others"
    await db.read(SET_SHORTAGES, {"order_id": bad, "rows": None})


async def test_cancelling_twice_cancels_once(db: database.Database, orders: Orders) -> None:
    placed = await orders.accepting.create(draft(new_id()))
    owner = placed.order.user_id
    for _ in range(2):
        cancelled = await orders.advancing.cancel(placed.order.id, by=owner, owner_id=owner)
        assert cancelled.saga.status is Status.CANCELLING
    assert await told(db, placed.order.id) == ["OrderPlaced", "OrderCancelled"]


async def test_cancel_and_confirmation_race_and_the_order_ends_in_one_of_them(
    db: database.Database, orders: Orders
) -> None:
    for _ in range(10):
        placed = await orders.accepting.create(draft(new_id()))
        order_id, owner = placed.order.id, placed.order.user_id
        await give(db, orders, saga.Event(order_id, Reply.STOCK_RESERVED, "inventory"))
        await asyncio.gather(
            give(db, orders, saga.Event(order_id, Reply.PAYMENT_AUTHORIZED, "payment")),
            orders.advancing.cancel(order_id, by=owner, owner_id=owner),
        )
        raced = (await orders.reading.get(order_id, owner_id=owner)).saga
        # Confirmed first, it asks shipping before it is cancelled.
        assert raced.status is Status.CANCELLING or (raced.status is Status.CONFIRMED and "stop" in raced.awaiting)
        sequences = [entry.sequence for entry in await orders.reading.history(order_id, owner_id=owner)]
        assert sequences == list(range(1, len(sequences) + 1)), "no step is lost and none is doubled"


async def test_somebody_elses_order_does_not_exist(orders: Orders) -> None:
    placed = await orders.accepting.create(draft(new_id()))
    stranger = new_id()
    for attempt in (
        orders.reading.get(placed.order.id, owner_id=stranger),
        orders.reading.history(placed.order.id, owner_id=stranger),
        orders.advancing.cancel(placed.order.id, by=stranger, owner_id=stranger),
    ):
        with pytest.raises(errors.DomainError, match="ORDER_NOT_FOUND"):
            await attempt
    assert (await orders.reading.get(placed.order.id, owner_id=None)).saga.version == 1


async def test_a_users_orders_are_listed_newest_first(orders: Orders) -> None:
    user = new_id()
    made = [(await orders.accepting.create(draft(user))).order.id for _ in range(5)]
    await orders.accepting.create(draft(new_id()))
    first = await orders.reading.list(user, pages.Page(3))
    second = await orders.reading.list(user, pages.Page(3, first.next_after))
    assert [item.order.id for item in (*first.rows, *second.rows)] == sorted(made, reverse=True)
    assert second.next_after == ""


async def test_the_history_ends_with_the_status_that_is_shown_whenever_one_asks(
    db: database.Database, orders: Orders
) -> None:
    order_id = (await orders.accepting.create(draft(new_id()))).order.id
    replies = (Reply.STOCK_RESERVED, Reply.CANCEL_REQUESTED, Reply.STOCK_RELEASED, Reply.PAYMENT_VOIDED)
    told: list[tuple[int, list[int]]] = []

    async def ask() -> None:
        while not told or told[-1][0] <= len(replies):
            placed, entries = await orders.reading.story(order_id, owner_id=None)
            told.append((placed.saga.version, [entry.sequence for entry in entries]))

    async with asyncio.timeout(10):
        asking = asyncio.create_task(ask())
        for reply in replies:
            await give(db, orders, saga.Event(order_id, reply, "test"))
        await asking
    assert [sequences for _, sequences in told] == [list(range(1, version + 1)) for version, _ in told]


async def test_a_stuck_saga_waits_for_an_operator_and_goes_on(db: database.Database, prices: PriceList) -> None:
    hasty = using(db, prices, waits=OVERDUE)
    placed = await hasty.accepting.create(draft(new_id()))
    order_id = placed.order.id
    for _ in range(saga.MOST_ATTEMPTS + 3):
        await hasty.timer.expire()
    assert (await hasty.reading.get(order_id, owner_id=None)).saga.stuck
    patient = using(db, prices)
    resumed = await patient.advancing.resume(order_id, by=ANN)
    assert resumed.saga.deadline is not None
    assert (await patient.reading.history(order_id, owner_id=None))[-1].actor == f"user:{ANN}"
    with pytest.raises(errors.DomainError, match="SAGA_NOT_STUCK"):
        await patient.advancing.resume(order_id, by=ANN)


async def test_history_cannot_be_changed(db: database.Database, orders: Orders) -> None:
    await orders.accepting.create(draft(new_id()))
    with pytest.raises(Exception, match="append-only"):
        await db.read(database.Statement("UPDATE order_events SET reason = 'x'"))


async def test_a_price_that_changed_since_the_page_is_refused_and_nothing_is_written(
    db: database.Database, orders: Orders, prices: PriceList
) -> None:
    agreed = replace(draft(new_id(), request_id="r1"), expected_total=money.Money("USD", 1000))
    prices.prices["TEA"] = 501
    before = await counted(db)
    with pytest.raises(errors.DomainError, match="ORDER_TOTAL_CHANGED") as refused:
        await orders.accepting.create(agreed)
    assert (refused.value.metadata["total"], refused.value.metadata["expected_total"]) == ("10.02", "10.00")
    assert await counted(db) == before
    # The refusal did not use the request id up: the customer agrees to the new total.
    again = replace(agreed, expected_total=money.Money("USD", 1002), fingerprint=b"b")
    assert (await orders.accepting.create(again)).order.total == money.Money("USD", 1002)


async def test_a_repeated_request_finds_its_order_though_its_price_changed_meanwhile(
    orders: Orders, prices: PriceList
) -> None:
    agreed = replace(draft(new_id(), request_id="r1"), expected_total=money.Money("USD", 1000))
    first = await orders.accepting.create(agreed)
    prices.prices["TEA"] = 501
    assert (await orders.accepting.create(agreed)).order == first.order


async def test_a_changed_price_refuses_its_own_order_only(orders: Orders, prices: PriceList) -> None:
    prices.prices["TEA"] = 501
    agreed = replace(draft(new_id()), expected_total=money.Money("USD", 1000))
    changed, fine = await orders.accepting.accept([agreed, draft(new_id())])
    assert isinstance(changed, errors.DomainError)
    assert isinstance(fine, domain.Placed)
