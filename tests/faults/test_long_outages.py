"""Twenty seconds without a part of the stack, while customers keep ordering: nothing is lost, and every order ends.

An order may wait for twelve of them: those that were accepted soon before the part is back are confirmed after it, those that had
to wait too long are cancelled by their deadline, with money and stock given back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest

from scripts.stack import control
from tests.faults.conftest import processes
from tests.faults.trickle import assert_all_is_well, begun
from tests.support import audit, shop

OUT_S = 20.0
BEFORE_S = 1.0
WAIT_S = "12"
PATIENCE = {"ORDER_STOCK_DEADLINE_S": WAIT_S, "ORDER_PAYMENT_DEADLINE_S": WAIT_S}
# They begin before the part is gone, and end after it is back.
PAUSE_S, AFTER_S = 0.3, 2.0
MOST_ORDERS = 500

CONFIRMED, TOO_LATE = "confirmed", "cancelled by the deadline"
# What comes of orders that are accepted while a part is away and whose card pays.
OUTCOMES = {
    "inventory": {CONFIRMED, TOO_LATE},
    "payment": {CONFIRMED, TOO_LATE},
    "provider": {CONFIRMED, TOO_LATE},
    "kafka": {CONFIRMED, TOO_LATE},
    "redis": {CONFIRMED},
}
# Without its database no order is accepted: customers repeat themselves until it is back.
STOPPED = [*OUTCOMES, "postgres"]


def host(name: str) -> str:
    """The process that a part of the stack lives in: its own, or that of all services."""
    return name if name in processes() else "services"


@pytest.fixture(scope="module")
def waiting(environment: Mapping[str, str]) -> Iterator[None]:
    """Orders wait for twelve seconds."""
    stacked = control.Stacked(environment["SOUK_STACK"])
    stacked.restart(host("order"), **PATIENCE)
    yield
    stacked.restart(host("order"))


@asynccontextmanager
async def killed(stacked: control.Stacked, name: str) -> AsyncIterator[None]:
    """A part is killed, and started again at the end of the block."""
    patience = PATIENCE if name == host("order") else {}
    await asyncio.to_thread(stacked.kill, name)
    try:
        yield
    finally:
        await asyncio.to_thread(lambda: stacked.start(name, **patience))


@asynccontextmanager
async def hung(stacked: control.Stacked, name: str) -> AsyncIterator[None]:
    """A part keeps its connections and answers nobody, until the end of the block."""
    process = psutil.Process(stacked.pid(name))
    members = [process, *process.children(recursive=True)]
    _each(members, psutil.Process.suspend)
    try:
        yield
    finally:
        _each(members, psutil.Process.resume)


def _each(members: Sequence[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for member in members:
        if member.is_running():
            act(member)


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("name", STOPPED)
async def test_a_part_that_is_gone_for_20_seconds_takes_nothing_with_it(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked, name: str
) -> None:
    trickle = replace(await begun(market, MOST_ORDERS), pause_s=PAUSE_S)
    flowing = asyncio.create_task(trickle.flow())
    await asyncio.sleep(BEFORE_S)

    gone = datetime.now(UTC)
    async with killed(stacked, host(name)):
        await asyncio.sleep(OUT_S)
    back = datetime.now(UTC)
    await asyncio.sleep(AFTER_S)
    trickle.over.set()

    ended = await assert_all_is_well(trickle, await flowing, auditor)
    if name in OUTCOMES and host(name) == name:
        assert outcomes(ended, gone, back) == OUTCOMES[name]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("name", ["kafka", "postgres"])
async def test_a_server_that_hangs_for_20_seconds_takes_nothing_with_it(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked, name: str
) -> None:
    trickle = replace(await begun(market, MOST_ORDERS), pause_s=PAUSE_S)
    flowing = asyncio.create_task(trickle.flow())
    await asyncio.sleep(BEFORE_S)

    async with hung(stacked, name):
        await asyncio.sleep(OUT_S)
    await asyncio.sleep(AFTER_S)
    trickle.over.set()

    await assert_all_is_well(trickle, await flowing, auditor)


def outcomes(ended: Sequence[shop.Json], gone: datetime, back: datetime) -> set[str]:
    """What came of the orders that were accepted between these moments and whose cards were not declined."""
    found = set()
    for order in ended:
        steps = {event["event"] for event in order["timeline"]}
        if gone < datetime.fromisoformat(order["timeline"][0]["time"]) < back:
            if order["status"] == shop.PAID:
                found.add(CONFIRMED)
            elif "DeadlinePassed" in steps and "PaymentDeclined" not in steps:
                found.add(TOO_LATE)
    return found
