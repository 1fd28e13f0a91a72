"""A worker that is killed at any line: the next one finds out what happened. The provider's log is the witness."""

import asyncio
import os
import random
import signal

import pytest

from services.chassis import database
from services.chassis.money import Money
from services.chassis.rpc import render
from services.payment.domain import State, payouts
from souk.order.v1 import order_events_pb2
from tests.integration.payment import mortal_worker
from tests.integration.payment import till as tills
from tests.integration.payment.test_payouts import report
from tests.integration.payment.till import Till, confirmed, new_id, requested
from tests.support import mortal, mortal_effects
from tests.support.polling import eventually

AUTHORIZED = database.Statement("""
SELECT count(*) FROM payments WHERE order_id = ANY(%(orders)s::uuid[]) AND state = 'AUTHORIZED'
""")


@pytest.mark.parametrize("point", mortal_effects.POINTS)
async def test_a_worker_killed_at_any_line_moves_no_money_twice_and_forgets_none(
    idle_till: Till, database_url: str, provider_url: str, point: str
) -> None:
    till, order, vendor = idle_till, new_id(), new_id()
    wish = requested(order)
    part = render.money_message(Money(tills.PRICE.currency, 1000))
    wish.shares.append(order_events_pb2.PaymentRequested.Share(vendor_id=vendor, amount=part))
    for said, reached in ((wish, State.AUTHORIZED), (confirmed(order), State.CAPTURED)):
        with mortal.worker(mortal_worker.__name__, database_url, provider_url, die_at=point) as doomed:
            await till.say(said)
            assert await mortal.death_of(doomed, within_s=tills.PATIENCE_S) == -signal.SIGKILL
        async with tills.working(till.db, tills.settings(provider_url)):
            await till.reaches(order, reached)
    assert await till.testimony(order) == ["authorized", "captured"]
    assert await till.told(order) == ["PaymentAuthorized", "PaymentCaptured"]
    assert len(await till.ledger(order)) == 2
    assert await report(till, vendor) == [payouts.Payout(vendor, "USD", 1000, 0, 0, 1, 0, 0)]


async def test_workers_killed_at_random_among_many_payments_charge_each_once(
    idle_till: Till, database_url: str, provider_url: str
) -> None:
    till = idle_till
    await till.control(latency_ms=30)
    orders = [new_id() for _ in range(150)]
    await till.say(*(requested(order) for order in orders))
    for round_number in range(3):
        with mortal.worker(mortal_worker.__name__, database_url, provider_url, die_at="") as worker:

            async def some_done(wanted: int = 30 * (round_number + 1)) -> bool:
                [[done]] = await till.db.read(AUTHORIZED, {"orders": orders})
                return bool(done >= wanted)

            await eventually(some_done, within_s=tills.PATIENCE_S)
            await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311 - any moment will do
            os.kill(worker.pid, signal.SIGKILL)
            await mortal.death_of(worker, within_s=tills.PATIENCE_S)
    async with tills.working(till.db, tills.settings(provider_url)):
        for order in orders:
            await till.reaches(order, State.AUTHORIZED)
    for order in orders:
        assert await till.testimony(order) == ["authorized"]
        assert await till.told(order) == ["PaymentAuthorized"]
