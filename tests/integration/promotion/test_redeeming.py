"""Redemptions on a real database, by the consumer that the service has: no limit is ever exceeded, and none is lost."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database, kafka
from services.promotion import store, usecases
from services.promotion.domain import codes, promotions
from tests.integration.promotion import mortal_till
from tests.integration.promotion.ordering import (
    cancelled,
    confirmed,
    deliver,
    made,
    new_id,
    placed,
    record,
    told,
    uses_of,
    using,
)
from tests.support import mortal

WRONG_COUNTS = database.Statement("""
SELECT p.id FROM promotions AS p WHERE p.uses <> (
  SELECT count(*) FROM redemptions AS r WHERE r.promotion_id = p.id AND r.status IN ('CLAIMED', 'COMMITTED'))
""")
WRONG_CODES = database.Statement("""
SELECT c.code FROM codes AS c WHERE c.uses <> (
  SELECT count(*) FROM redemptions AS r WHERE r.code = c.code AND r.status IN ('CLAIMED', 'COMMITTED'))
""")
STATUSES = database.Statement("SELECT status FROM redemptions WHERE order_id = %(id)s::uuid")
ANSWERS = database.Statement("SELECT key, type FROM outbox")
INBOX = database.Statement("SELECT count(*) FROM inbox")


@pytest_asyncio.fixture
async def db(db: database.Database) -> AsyncIterator[database.Database]:
    yield db
    assert await db.read(WRONG_COUNTS) == [], "what is counted is what orders use"
    assert await db.read(WRONG_CODES) == []


@pytest.fixture
def uses(db: database.Database) -> usecases.Promotions:
    return using(db)


async def status(db: database.Database, order_id: str) -> str:
    [[found]] = await db.read(STATUSES, {"id": order_id})
    return str(found)


async def test_a_use_is_claimed_then_committed_and_released_when_the_order_is_cancelled_after_all(
    db: database.Database, uses: usecases.Promotions
) -> None:
    sale, order_id = await made(uses, most_uses=5), new_id()
    seen = []
    for message in (placed(order_id, sale), confirmed(order_id), cancelled(order_id)):
        await deliver(db, record(message))
        seen.append((await status(db, order_id), await uses_of(db, sale)))
    assert seen == [("CLAIMED", 1), ("COMMITTED", 1), ("RELEASED", 0)]
    assert await told(db, order_id) == ["CouponsRedeemed", "CouponsReleased"]


async def test_the_whole_of_an_order_may_be_in_one_batch(db: database.Database, uses: usecases.Promotions) -> None:
    sale, order_id = await made(uses, most_uses=1), new_id()
    await deliver(db, *(record(said) for said in (placed(order_id, sale), confirmed(order_id), cancelled(order_id))))
    assert (await status(db, order_id), await uses_of(db, sale)) == ("RELEASED", 0)


async def test_what_comes_again_is_answered_again_and_changes_nothing(
    db: database.Database, uses: usecases.Promotions
) -> None:
    sale, first, second = await made(uses, most_uses=1), new_id(), new_id()
    for _ in range(2):
        await deliver(db, record(placed(first, sale)), record(placed(second, sale)))
    assert await uses_of(db, sale) == 1
    assert await told(db, first) == ["CouponsRedeemed"] * 2
    assert await told(db, second) == ["CouponsRefused"] * 2
    for _ in range(2):
        await deliver(db, record(cancelled(first)), record(cancelled(second)))
    assert await uses_of(db, sale) == 0
    assert (await told(db, first))[2:] == (await told(db, second))[2:] == ["CouponsReleased"] * 2


async def test_an_event_that_is_delivered_twice_is_handled_once(
    db: database.Database, uses: usecases.Promotions
) -> None:
    sale, order_id = await made(uses, most_uses=5), new_id()
    same = record(placed(order_id, sale))
    await asyncio.gather(*(deliver(db, same) for _ in range(3)))
    assert (await uses_of(db, sale), await told(db, order_id)) == (1, ["CouponsRedeemed"])


async def test_an_order_without_redemptions_leaves_no_trace(db: database.Database, uses: usecases.Promotions) -> None:
    sale, order_id = await made(uses), new_id()
    plain = placed(order_id, sale)
    del plain.redemptions[:]
    before = await db.read(INBOX)
    after = confirmed(order_id), cancelled(order_id)
    after[0].redeems = after[1].redeems = False
    quiet: list[Any] = [plain, *after]
    await deliver(db, *(record(message) for message in quiet))
    assert (await told(db, order_id), await db.read(INBOX)) == ([], before)


async def test_a_thousand_racing_orders_for_a_hundred_uses_give_exactly_a_hundred(
    db: database.Database, uses: usecases.Promotions
) -> None:
    sale, other = await made(uses, most_uses=100), await made(uses, most_uses=100)
    orders = [new_id() for _ in range(1_000)]
    batches = [[record(placed(order_id, sale)) for order_id in orders[start::20]] for start in range(20)]
    # Each batch has orders for another promotion too, so that batches want both in either order.
    for number, batch in enumerate(batches):
        extra = record(placed(new_id(), other))
        batch.insert(0 if number % 2 else len(batch), extra)
    await asyncio.gather(*(deliver(db, *batch) for batch in batches))
    answers = Counter(kind.rsplit(".", 1)[1] for key, kind in await db.read(ANSWERS) if key in set(orders))
    assert answers == {"CouponsRedeemed": 100, "CouponsRefused": 900}
    assert (await uses_of(db, sale), await uses_of(db, other)) == (100, 20)


async def test_orders_of_one_customer_race_for_their_share_and_a_code_for_one_is_used_once(
    db: database.Database, uses: usecases.Promotions
) -> None:
    mine, user_id = await made(uses, most_uses_per_customer=2), new_id()
    coupon = await made(uses, automatic=False)
    code = "ONCE-" + new_id()[-12:].upper()
    await uses.coding.create(codes.Order(coupon.id, "admin", code=code, most_uses=1))
    await asyncio.gather(
        *(deliver(db, record(placed(new_id(), mine, user_id=user_id))) for _ in range(8)),
        *(deliver(db, record(placed(new_id(), coupon, code=code.lower()))) for _ in range(8)),
    )
    assert (await uses_of(db, mine), await uses_of(db, coupon)) == (2, 1)


async def test_a_use_that_was_released_can_be_claimed_by_another_order(
    db: database.Database, uses: usecases.Promotions
) -> None:
    sale, first, second = await made(uses, most_uses=1), new_id(), new_id()
    await deliver(db, record(placed(first, sale)))
    await deliver(db, record(cancelled(first)), record(placed(second, sale)))
    # In one batch the claim may come first: then it is refused, and never granted twice.
    assert await uses_of(db, sale) <= 1
    third = new_id()
    await deliver(db, record(placed(third, sale)))
    assert await uses_of(db, sale) == 1


async def test_a_promotion_that_was_changed_after_the_promise_refuses_it(
    db: database.Database, uses: usecases.Promotions
) -> None:
    sale, order_id = await made(uses, most_uses=5), new_id()
    terms = promotions.Terms("Less", promotions.Percentage(100), automatic=True, most_uses=5)
    await uses.administering.update(promotions.Edit(sale.id, sale.version, terms))
    await deliver(db, record(placed(order_id, sale)))
    assert (await status(db, order_id), await told(db, order_id)) == ("REFUSED", ["CouponsRefused"])


async def test_the_last_wall_stands(db: database.Database, uses: usecases.Promotions) -> None:
    sale = await made(uses, most_uses=1)
    with pytest.raises(Exception, match="uses_within_limit"):
        async with db.transaction() as transaction:
            await store.change_promotions(transaction, {sale.id: 2})


@pytest.mark.parametrize("point", mortal.POINTS)
@pytest.mark.parametrize("said", ["placed", "cancelled"])
async def test_a_process_that_dies_at_its_commit_claims_and_releases_once(
    db: database.Database, uses: usecases.Promotions, database_url: str, point: str, said: str
) -> None:
    sale, order_id = await made(uses, most_uses=5), new_id()
    message: Any = placed(order_id, sale)
    if said == "cancelled":
        await deliver(db, record(message))
        message = cancelled(order_id)
    again = record(message)
    mortal.dies(mortal_till.MODULE, database_url, at=point, **_environment(again))
    before, after = (0, 1) if said == "placed" else (1, 0)
    assert await uses_of(db, sale) == (before if point == mortal.WRITTEN else after)
    await deliver(db, again)
    assert await uses_of(db, sale) == after
    answer = "CouponsRedeemed" if said == "placed" else "CouponsReleased"
    assert (await told(db, order_id)).count(answer) == 1


def _environment(event: kafka.Record) -> dict[str, str]:
    return {
        "EVENT_ID": event.headers["ce_id"],
        "EVENT_TYPE": event.headers["ce_type"],
        "EVENT": base64.b64encode(event.value).decode(),
        "ORDER_ID": event.key,
    }
