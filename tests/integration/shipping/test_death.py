"""A worker that is killed at any line: the next one finds out what happened. The carrier's log is the witness."""

import asyncio
import os
import random
import signal

import pytest

from services.chassis import database
from services.shipping.domain.parcels import State
from tests.integration.shipping import dispatch as dispatches
from tests.integration.shipping import mortal_worker
from tests.integration.shipping.dispatch import Dispatch, cancelled, committed, confirmed, new_id
from tests.support import mortal, mortal_effects
from tests.support.polling import eventually

LABELLED = database.Statement("""
SELECT count(*) FROM parcels WHERE order_id = ANY(%(orders)s::uuid[]) AND state = 'LABELLED'
""")


@pytest.mark.parametrize("point", mortal_effects.POINTS)
async def test_a_worker_killed_at_any_line_buys_and_voids_each_label_once(
    idle: Dispatch, database_url: str, carrier_url: str, point: str
) -> None:
    order = new_id()
    await idle.say(confirmed(order))
    journey = ((committed, State.LABELLED), (cancelled, State.STOPPED))
    for said, reached in journey:
        with mortal.worker(mortal_worker.__name__, database_url, carrier_url, die_at=point) as doomed:
            await idle.say(said(order))
            assert await mortal.death_of(doomed, within_s=dispatches.PATIENCE_S) == -signal.SIGKILL
        async with dispatches.working(idle.db, dispatches.settings(carrier_url)):
            await idle.reach(order, reached)
    assert await idle.testimony((await idle.of(order))[0]) == ["bought", "voided"]
    assert await idle.told(order) == ["ShipmentCreated"]


async def test_workers_killed_at_random_among_many_parcels_buy_each_label_once(
    idle: Dispatch, database_url: str, carrier_url: str
) -> None:
    await idle.control(latency_ms=30)
    orders = [new_id() for _ in range(60)]
    await idle.say(*(confirmed(order) for order in orders))
    await idle.say(*(committed(order) for order in orders))
    for round_number in range(3):
        with mortal.worker(mortal_worker.__name__, database_url, carrier_url, die_at="") as worker:

            async def some_done(wanted: int = 12 * (round_number + 1)) -> bool:
                [[done]] = await idle.db.read(LABELLED, {"orders": orders})
                return bool(done >= wanted)

            await eventually(some_done, within_s=dispatches.PATIENCE_S)
            await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311 - any moment will do
            os.kill(worker.pid, signal.SIGKILL)
            await mortal.death_of(worker, within_s=dispatches.PATIENCE_S)
    await idle.control(latency_ms=0)
    # Patient, so that a busy machine does not make it wait longer and longer for what it gave up.
    async with dispatches.working(idle.db, dispatches.settings(carrier_url, timeout_s=3.0)):
        for order in orders:
            await idle.reach(order, State.LABELLED)
    for order in orders:
        assert await idle.testimony((await idle.of(order))[0]) == ["bought"]
