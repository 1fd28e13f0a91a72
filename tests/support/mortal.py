"""Processes that kill themselves with SIGKILL at one line of a transaction: what is left is for others to find.

A test module's own script opens its database with `opened_mortal` and does one thing; `dies` runs it and sees it die.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NoReturn

from services.chassis import clock, database
from services.chassis.outbox import outbox

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = "written"  # every row is written, the event too, and nothing is committed
COMMITTED = "committed"  # it is committed; nobody was told, nothing is published
POINTS = (WRITTEN, COMMITTED)


def die() -> NoReturn:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


class _MortalOutbox(outbox.Outbox):
    """The outbox that a service has, with a death behind its last row."""

    async def write(self, transaction: database.Transaction, events: Sequence[object]) -> None:
        await super().write(transaction, events)
        if os.environ["DIE_AT"] == WRITTEN:
            die()
        if os.environ["DIE_AT"] == COMMITTED:
            transaction.after_commit(die)


@asynccontextmanager
async def opened_mortal(publications: outbox.Publications) -> AsyncIterator[database.Database]:
    """The database in DATABASE_URL, in which the first transaction with an event dies at DIE_AT."""
    db = database.Database(os.environ["DATABASE_URL"], _MortalOutbox(publications, clock.utc_now, lambda: None))
    await db.start()
    yield db


class MortalDatabase(database.Database):
    """A database that kills its process at its DIE_IN-th commit (the first): before it, or behind it.

    A transaction that fails does not count: it is repeated, and the process dies then.
    """

    def __init__(self, url: str, emitter: database.Emitter) -> None:
        super().__init__(url, emitter)
        self._left = int(os.environ.get("DIE_IN", "1"))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        """A transaction as the service has it, which may be the last."""
        async with super().transaction() as transaction:
            yield transaction
            self._left -= 1
            if self._left > 0:
                return
            if os.environ["DIE_AT"] == WRITTEN:
                if transaction.events:
                    await self._emitter.write(transaction, transaction.events)
                die()
            transaction.after_commit(die)


@asynccontextmanager
async def opened_to_die(publications: outbox.Publications) -> AsyncIterator[database.Database]:
    """The database in DATABASE_URL, which dies at the commit of its DIE_IN-th transaction, whatever is written in it."""
    db = MortalDatabase(os.environ["DATABASE_URL"], outbox.Outbox(publications, clock.utc_now, lambda: None))
    await db.start()
    yield db


def dies(module: str, database_url: str, *, at: str, **environment: str) -> None:
    """Run a module as a process and see that it kills itself there."""
    ended = subprocess.run(  # noqa: S603 - a script of these tests
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "DIE_AT": at, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@contextmanager
def worker(
    module: str, database_url: str, outside_url: str, *, die_at: str, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, which kills itself (SIGKILL) when it comes to `die_at`, or at the block's end."""
    environ = os.environ | {"TEST_DATABASE_URL": database_url, "OUTSIDE_URL": outside_url, "DIE_AT": die_at, **more}
    # A program of this repository.
    with subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environ) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.kill()


async def death_of(process: subprocess.Popen[bytes], *, within_s: float) -> int:
    """Wait for a process to end: its exit code, negative for a signal."""
    return await asyncio.to_thread(process.wait, within_s)
