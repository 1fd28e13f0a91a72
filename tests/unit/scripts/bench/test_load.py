import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, replace

import pytest_asyncio
from aiohttp import web

from scripts.bench import load, requests, run
from services.chassis import clock, ids

WANTED = requests.Wanted(tokens=("t",), skus=("A", "B", "C"), lines=3, key="run")


class Shop:
    """A real HTTP server that accepts orders; every `refuse_every`-th not, and after `delay_s`."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.busiest = self.busy = 0
        self.delay_s = 0.0
        self.refuse_every = 0
        self.port = 0

    async def order(self, request: web.Request) -> web.Response:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await request.read()
        await asyncio.sleep(self.delay_s)
        self.busy -= 1
        self.keys.append(request.headers["Idempotency-Key"])
        if self.refuse_every and len(self.keys) % self.refuse_every == 0:
            return web.json_response({"message": "too many"}, status=429)
        body = {"id": ids.new_id(clock.utc_now()), "user_id": "somebody"}
        return web.json_response(body, dumps=lambda value: json.dumps(value, separators=(",", ":")))


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    app = web.Application()
    app.router.add_post("/api/v1/orders", made.order)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


def plan(shop: Shop) -> load.Plan:
    return load.Plan("127.0.0.1", shop.port, WANTED, connections=4, seconds=5, most=100)


async def test_a_closed_loop_sends_no_more_at_once_than_it_has_connections(shop: Shop) -> None:
    shop.delay_s = 0.002
    outcome = await load.Generator(plan(shop)).run()
    assert shop.busiest == 4
    assert (outcome.sent, len(outcome.accepted), outcome.statuses) == (100, 100, {"200": 100})
    assert len(set(outcome.accepted)) == len(set(shop.keys)) == 100
    assert outcome.started < outcome.stopped <= time.time()
    assert outcome.cpu_s > 0


async def test_a_load_ends_when_its_time_is_over(shop: Shop) -> None:
    shop.delay_s = 0.01
    outcome = await load.Generator(replace(plan(shop), seconds=0.2, most=1_000_000)).run()
    assert 0.2 <= outcome.stopped - outcome.started < 2
    assert outcome.sent == len(outcome.accepted) > 0


async def test_an_open_loop_keeps_its_rate_and_counts_from_when_an_order_was_due(shop: Shop) -> None:
    shop.delay_s = 0.1
    # One connection carries ten a second: of twenty-five that are due in half a second, the last wait for two seconds.
    slow = replace(plan(shop), connections=1, seconds=0.5, rate=50)
    outcome = await load.Generator(slow).run()
    assert outcome.sent == 25
    assert max(outcome.latencies_ms) > 1500


async def test_refusals_are_counted_apart_and_some_are_kept_to_be_read(shop: Shop) -> None:
    shop.refuse_every = 10
    outcome = await load.Generator(plan(shop)).run()
    assert outcome.statuses == {"200": 90, "429": 10}
    assert len(outcome.accepted) == len(outcome.latencies_ms) == 90
    assert outcome.samples == ['429 {"message": "too many"}'] * load.SAMPLES_KEPT


async def test_orders_nobody_answers_are_unanswered(unused_tcp_port: int) -> None:
    nobody = load.Plan("127.0.0.1", unused_tcp_port, WANTED, connections=2, seconds=5, most=4)
    outcome = await load.Generator(nobody).run()
    assert (outcome.sent, outcome.unanswered, outcome.accepted) == (4, 4, [])


def test_a_plan_survives_its_way_into_the_other_process() -> None:
    wanted = load.Plan("127.0.0.1", 1, WANTED, connections=4, seconds=5, most=100, rate=2.5)
    assert load.planned(json.dumps(asdict(wanted))) == wanted


async def test_the_generator_runs_as_a_process_of_its_own(shop: Shop) -> None:
    outcome = await asyncio.to_thread(run.generate, plan(shop))
    assert sorted(outcome.accepted) == sorted(set(outcome.accepted))
    assert len(outcome.accepted) == len(shop.keys) == 100
