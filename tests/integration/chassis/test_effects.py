"""Effects outside whose outcomes cannot all be written: one bad outcome fails alone, and an outage loses none."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from services.chassis import database, effects, errors
from tests.support import polling

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"
LIMITS = effects.Concurrency(concurrent=10, gather_s=0.01, pause_s=0.01, idle_s=0.05, idle_most_s=0.05)
BAD = 3
MAKE = database.Statement("CREATE TABLE calls (id int PRIMARY KEY, claimed int DEFAULT 0, settled int DEFAULT 0)")
FILL = database.Statement("INSERT INTO calls (id) SELECT generate_series(1, 6)")
CLAIM = database.Statement("""
UPDATE calls SET claimed = claimed + 1
WHERE id IN (SELECT id FROM calls WHERE claimed = 0 ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED) RETURNING id
""")
SETTLE = database.Statement("UPDATE calls SET settled = settled + 1 WHERE id = ANY(%(ids)s::int[])")
CALLS = database.Statement("SELECT id, settled FROM calls ORDER BY id")


class Calls:
    """Calls that all answer at the same moment. The outcome of one cannot be written; what else fails, a test says."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.under_way = 0
        self.written: list[list[int]] = []
        self.away_at = 0

    async def claim(self, transaction: database.Transaction, most: int) -> Sequence[int]:
        return [row[0] for row in await transaction.run(CLAIM, {"most": most})]

    async def perform(self, work: int) -> str:
        self.under_way += 1
        await self.answered.wait()
        return f"answer to {work}"

    async def settle(self, transaction: database.Transaction, outcomes: Sequence[tuple[int, str]]) -> bool:
        ids = [work for work, _ in outcomes]
        await transaction.run(SETTLE, {"ids": ids})
        self.written.append(ids)
        if ids == [self.away_at]:
            self.away_at = 0
            raise errors.TransientError("the database is away")
        if BAD in ids:
            raise ValueError("this outcome cannot be written")
        return False


@pytest_asyncio.fixture
async def calls(db: database.Database) -> AsyncIterator[Calls]:
    """Six calls in the table, of which the third is bad."""
    await db.read(MAKE)
    await db.read(FILL)
    yield Calls()
    await db.read(database.Statement("DROP TABLE calls"))


def alarms(name: str) -> float:
    labels = {"service": name, "alarm": "outcome_not_written"}
    return REGISTRY.get_sample_value("souk_alarms_total", labels) or 0.0


async def worked(db: database.Database, calls: Calls, *, name: str) -> None:
    """Let a worker make all calls at once and settle them, until all but the bad one are written."""
    worker = effects.Worker(db, calls, LIMITS, name=name)
    await worker.start()

    async def all_under_way() -> bool:
        return calls.under_way == 6

    async def five_written_and_one_given_up() -> bool:
        return sum(settled for _, settled in await db.read(CALLS)) >= 5 and alarms(name) > 0

    try:
        await polling.eventually(all_under_way, within_s=20)
        calls.answered.set()
        await polling.eventually(five_written_and_one_given_up, within_s=20)
    finally:
        await worker.stop()


@pytest.mark.parametrize("away_at", [0, 2, 5], ids=["no outage", "outage before the bad one", "outage behind it"])
async def test_an_outcome_that_cannot_be_written_fails_alone_and_the_others_are_written_once(
    db: database.Database, calls: Calls, away_at: int
) -> None:
    name = f"calls-{uuid.uuid4().hex[:8]}"
    calls.away_at = away_at
    await worked(db, calls, name=name)
    assert calls.written[0] == [1, 2, 3, 4, 5, 6], "they are written together first"
    assert await db.read(CALLS) == [(call, int(call != BAD)) for call in range(1, 7)]
    assert alarms(name) == 1
