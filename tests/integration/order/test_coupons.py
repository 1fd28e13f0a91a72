"""Orders with coupons on a real database: stored as they were promised, refused whole, and never held back by others."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from services.chassis import assembly, database, errors, migrate, money
from services.order import domain, events, saga
from services.order.domain import Status
from services.order.saga import Reply
from souk.order.v1 import order_events_pb2
from tests.integration.order.ordering import WAITS, Offering, PriceList, counted, draft, give, new_id, told, using
from tests.support import postgres

SALE = domain.Discount(new_id(), "Welcome", "WELCOME", {"TEA": 250}, claims=4)
_FACTS = database.Statement("SELECT type, payload FROM outbox WHERE key = %(key)s ORDER BY id")


def with_code(user_id: str, *codes: str, request_id: str = "") -> domain.Draft:
    plain = draft(user_id, request_id=request_id)
    return replace(plain, basket=replace(plain.basket, coupon_codes=codes or ("WELCOME",)))


async def test_an_order_is_read_again_with_what_promotions_took_off(db: database.Database, prices: PriceList) -> None:
    orders = using(db, prices, offering=Offering("WELCOME", SALE))
    placed = await orders.accepting.create(with_code(new_id()))
    assert (placed.order.total, placed.order.totals.discounts.amount) == (money.Money("USD", 750), 250)
    stored = await orders.reading.get(placed.order.id, owner_id=None)
    assert (stored.order, stored.saga.awaiting) == (
        placed.order,
        frozenset({"inventory", "promotion"}),
    )


async def test_promotion_hears_what_to_redeem_commit_and_release(db: database.Database, prices: PriceList) -> None:
    orders = using(db, prices, offering=Offering("WELCOME", SALE))
    placed = await orders.accepting.create(with_code(new_id()))
    paid = (Reply.STOCK_RESERVED, Reply.COUPONS_REDEEMED, Reply.PAYMENT_AUTHORIZED)
    for reply in (*paid, Reply.CANCEL_REQUESTED, Reply.SHIPMENTS_STOPPED):
        await give(db, orders, saga.Event(placed.order.id, reply, "test"))
    said = {kind.rsplit(".", 1)[1]: payload for kind, payload in await db.read(_FACTS, {"key": placed.order.id})}
    [redemption] = order_events_pb2.OrderPlaced.FromString(said["OrderPlaced"]).redemptions
    assert (redemption.promotion_id, redemption.promotion_version, redemption.code) == (SALE.promotion_id, 4, "WELCOME")
    assert [(line.sku, line.amount.nanos) for line in redemption.lines] == [("TEA", 500_000_000)]
    assert order_events_pb2.OrderConfirmed.FromString(said["OrderConfirmed"]).redeems
    assert order_events_pb2.OrderCancelled.FromString(said["OrderCancelled"]).redeems


async def test_an_order_that_promotion_refuses_to_quote_does_not_hold_back_those_accepted_with_it(
    db: database.Database, prices: PriceList
) -> None:
    offering = Offering("WELCOME", SALE)
    orders = using(db, prices, offering=offering)
    drafts = [with_code(new_id()) for _ in range(3)]
    offering.refused = drafts[1].user_id
    first, refused, last = await orders.accepting.accept(drafts)
    assert isinstance(refused, errors.DomainError)
    assert refused.reason == "MONEY_INVALID"
    for placed in (first, last):
        assert isinstance(placed, domain.Placed)
        assert placed.order.discounts == (SALE,)


async def test_a_code_that_does_not_apply_refuses_the_order_and_nothing_is_written(
    db: database.Database, prices: PriceList
) -> None:
    orders = using(db, prices, offering=Offering("WELCOME", SALE))
    before = await counted(db)
    with pytest.raises(errors.DomainError, match="COUPON_REFUSED") as raised:
        await orders.accepting.create(with_code(new_id(), "WELCOME", "WRONG", request_id="r1"))
    assert [(wrong.field, wrong.reason) for wrong in raised.value.violations] == [("coupon_codes[1]", "CODE_UNKNOWN")]
    assert await counted(db) == before


async def test_a_repeated_request_finds_its_order_though_its_code_is_used_up(
    db: database.Database, prices: PriceList
) -> None:
    offering, user = Offering("WELCOME", SALE), new_id()
    orders = using(db, prices, offering=offering)
    first = await orders.accepting.create(with_code(user, request_id="r1"))
    offering.code = "ANOTHER"
    assert (await orders.accepting.create(with_code(user, request_id="r1"))).order == first.order


async def test_without_promotion_orders_with_codes_wait_and_the_others_go_on(
    db: database.Database, prices: PriceList
) -> None:
    offering = Offering("WELCOME", SALE)
    offering.away = True
    orders = using(db, prices, offering=offering)
    plain, coupon = await orders.accepting.accept([draft(new_id()), with_code(new_id())])
    assert isinstance(plain, domain.Placed)
    assert isinstance(coupon, errors.DomainError)
    assert (coupon.code, coupon.retry_after_s) == (errors.Code.UNAVAILABLE, 1.0)


async def test_promotion_is_asked_about_orders_without_codes_only_while_a_promotion_is_automatic(
    db: database.Database, prices: PriceList
) -> None:
    offering, user = Offering(discount=replace(SALE, code="", claims=0)), new_id()
    orders = using(db, prices, offering=offering)
    await orders.accepting.create(draft(user))
    assert offering.asked == []
    offering.automatic = True
    placed = await orders.accepting.create(draft(user))
    assert (placed.order.total.amount, placed.saga.awaiting) == (750, frozenset({"inventory"})), (
        "nothing is to be redeemed"
    )


async def test_only_somebody_without_an_order_that_stands_places_a_first_order(
    db: database.Database, prices: PriceList
) -> None:
    offering, user = Offering("WELCOME", SALE), new_id()
    orders = using(db, prices, offering=offering)
    first = await orders.accepting.create(with_code(user))
    await orders.accepting.create(with_code(user))
    await give(db, orders, saga.Event(first.order.id, Reply.CANCEL_REQUESTED, "test"))
    await orders.pricing.quote(with_code(new_id()).basket)
    assert [question.first_order for question in offering.asked] == [True, False, True]


async def test_a_saga_of_a_newer_release_waits_for_it_and_keeps_its_event(
    db: database.Database, prices: PriceList
) -> None:
    orders = using(db, prices)
    placed = await orders.accepting.create(draft(new_id()))
    newer = database.Statement("UPDATE sagas SET definition_version = 99 WHERE order_id = %(id)s")
    await db.read(newer, {"id": placed.order.id})
    with pytest.raises(errors.TransientError):
        await give(db, orders, saga.Event(placed.order.id, Reply.STOCK_RESERVED, "inventory"))
    assert await told(db, placed.order.id) == ["OrderPlaced"]
    await db.read(database.Statement("DELETE FROM sagas WHERE definition_version = 99"))


# What the release before coupons wrote of an order, by its columns.
_ORDER_OF_BEFORE = """
INSERT INTO orders (id, user_id, currency, total, lines, address, payment_method, create_time, taxes_included)
VALUES (%(id)s, %(id)s, 'USD', 1000, %(lines)s, %(address)s, 'card_approved', now(), false)
"""
_SAGA_OF_BEFORE = """
INSERT INTO sagas (order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason) VALUES (%(id)s, %(id)s, 1, %(status)s, %(step)s, %(awaiting)s, 1, now(), 0, false, '', '')
"""
_LINES = json.dumps([{"sku": "TEA", "title": "Tea", "quantity": 2, "price": 500}])
_ADDRESS = json.dumps(
    dict.fromkeys(("recipient", "line1", "line2", "city", "region", "postal_code"), "") | {"country": "GB"}
)
UNDER_WAY = {
    ("PENDING", "STOCK", "inventory"): (Reply.STOCK_RESERVED, Reply.PAYMENT_AUTHORIZED),
    ("RESERVED", "PAYMENT", "payment"): (Reply.PAYMENT_AUTHORIZED,),
    ("CONFIRMED", "SETTLEMENT", "inventory,payment"): (),
}


@pytest.fixture
def before(postgres_admin_url: str, tmp_path: Path) -> Iterator[str]:
    """A database as the release before coupons left it, with the migrations that it knew."""
    with postgres.empty_database(postgres_admin_url, "order") as url:
        for path in assembly.migrations("order").glob("000[123]_*.py"):
            shutil.copy(path, tmp_path)
        migrate.migrate(url, tmp_path)
        yield url


async def test_orders_under_way_during_the_upgrade_end_by_the_definition_they_began_with(before: str) -> None:
    under_way = {new_id(): state for state in UNDER_WAY}
    cancelling = new_id()
    with psycopg.connect(before) as connection:
        rows = under_way | {cancelling: ("CANCELLING", "COMPENSATION", "inventory,payment")}
        for order_id, (status, step, awaiting) in rows.items():
            given = {"id": order_id, "lines": _LINES, "address": _ADDRESS}
            connection.execute(_ORDER_OF_BEFORE.encode(), given)
            given = {"id": order_id, "status": status, "step": step, "awaiting": awaiting}
            connection.execute(_SAGA_OF_BEFORE.encode(), given)
    migrate.migrate(before, assembly.migrations("order"))
    async with postgres.opened(before, events.PUBLISHED) as db:
        orders = using(db, PriceList(), waits=WAITS)
        for order_id, state in under_way.items():
            for reply in (*UNDER_WAY[state], Reply.STOCK_COMMITTED, Reply.PAYMENT_CAPTURED):
                await give(db, orders, saga.Event(order_id, reply, "test"))
        for reply in (Reply.STOCK_RELEASED, Reply.PAYMENT_VOIDED):
            await give(db, orders, saga.Event(cancelling, reply, "test"))
        ended = {order_id: (await orders.reading.get(order_id, owner_id=None)).saga for order_id in rows}
    assert {(ended[order_id].status, ended[order_id].settled) for order_id in under_way} == {(Status.CONFIRMED, True)}
    assert (ended[cancelling].status, ended[cancelling].definition_version) == (Status.CANCELLED, 1)
