"""What the commands of operators share: a service's database for one command, and how rows are printed."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from services.chassis import database


@asynccontextmanager
async def database_of(url: str) -> AsyncIterator[database.Database]:
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
    """Looking after events emits nothing."""

    async def write(self, transaction: database.Transaction, happened: Sequence[object]) -> None:
        raise NotImplementedError
