"""`kill -9` of anything, or of everything, in the middle of a run: nothing is lost, nothing is double."""

import asyncio
import os
import signal
import threading

from scripts.stack import control, layout, plan, settings, up
from scripts.stack.supervise import component, progress
from tests.faults.trickle import assert_all_is_well, begun
from tests.support import audit, shop, stack
from tests.support.polling import eventually

ORDERS = 24
# How long a victim stays dead, and how long the others have run before that.
DEAD_S = 1.5
BEFORE_S = 0.8
DRAIN_S = 10.0


async def test_a_killed_process_takes_nothing_with_it(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked, victim: str
) -> None:
    trickle = await begun(market, ORDERS)
    flowing = asyncio.create_task(trickle.flow())

    await asyncio.sleep(BEFORE_S)
    await asyncio.to_thread(stacked.kill, victim)
    await asyncio.sleep(DEAD_S)
    await asyncio.to_thread(stacked.start, victim)

    await assert_all_is_well(trickle, await flowing, auditor)


async def test_everything_killed_at_once_is_resumed(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked
) -> None:
    trickle = await begun(market, ORDERS)
    flowing = asyncio.create_task(trickle.flow())
    chosen = settings.read(layout.saved(stack.name()), os.environ, resume=True)

    await asyncio.sleep(BEFORE_S)
    await asyncio.gather(*(asyncio.to_thread(stacked.kill, name) for name in plan.names(chosen)))
    await asyncio.to_thread(up.up, up.Run(chosen, progress.Silent()))

    await assert_all_is_well(trickle, await flowing, auditor)


async def test_a_service_that_is_told_to_stop_finishes_what_it_has_and_exits_with_0(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked
) -> None:
    service = order_process()
    trickle = await begun(market, ORDERS)
    await asyncio.to_thread(stacked.stop, service.name)
    program = service.program
    process = await asyncio.create_subprocess_exec(*program.command, cwd=program.cwd, env=program.environment)
    try:
        await eventually(lambda: asyncio.to_thread(service.healthy), within_s=60)
        flowing = asyncio.create_task(trickle.flow())
        await asyncio.sleep(BEFORE_S)

        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DRAIN_S):
            code = await process.wait()

        assert code == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await asyncio.to_thread(stacked.start, service.name)
    await assert_all_is_well(trickle, await flowing, auditor)


def order_process() -> component.Component:
    """The process that hosts the order service: its own, or that of all services."""
    chosen = settings.read(layout.saved(stack.name()), os.environ, resume=True)
    components = plan.Plan(chosen, progress.Silent(), threading.Event())
    names = plan.service_names(chosen)
    found = components.named("order" if "order" in names else names[0])
    assert found is not None
    return found
