"""What an operator may do about events whose handling failed: the command `python -m services parked`."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from services.chassis import database, parked


async def operate(database_url: str, action: str, event_id: str, *, actor: str) -> int:
    """What an operator asked for on the command line: a process exit code."""
    async with operators_database(database_url) as db:
        if action == "list":
            show(await parked.listed(db))
            return 0
        act = parked.replay if action == "replay" else parked.discard
        return 0 if await act(db, event_id, actor=actor) else 1


@asynccontextmanager
async def operators_database(url: str) -> AsyncIterator[database.Database]:
    """A service's database for one command of an operator."""
    db = database.Database(url, _Silent(), pool_size=1)
    await db.start()
    try:
        yield db
    finally:
        await db.stop()


def show(rows: Iterable[database.Row]) -> None:
    """Print one line for each row, its columns between tabs."""
    for row in rows:
        print("\t".join(str(column) for column in row))  # noqa: T201 - the answer of a command


class _Silent:
    """Looking after events that failed emits nothing."""

    async def write(self, transaction: database.Transaction, happened: Sequence[object]) -> None:
        raise NotImplementedError
