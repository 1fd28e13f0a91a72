"""What the commands of operators share: a service's database for one command, the record of it, how rows are printed."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from services.chassis import database

_NOTE = database.Statement("""
INSERT INTO parked_actions (event_id, action, actor)
SELECT event_id, %(action)s, %(actor)s FROM unnest(%(event_ids)s::uuid[]) AS given(event_id)
""")


@asynccontextmanager
async def database_of(url: str) -> AsyncIterator[database.Database]:
    """A service's database for one command of an operator."""
    db = database.Database(url, _Silent(), pool_size=1)
    await db.start()
    try:
        yield db
    finally:
        await db.stop()


async def note(transaction: database.Transaction, event_ids: Sequence[str], *, action: str, actor: str) -> None:
    """Record, with what was done in this transaction, what it was and who did it to which events."""
    await transaction.run(_NOTE, {"event_ids": list(event_ids), "action": action, "actor": actor})


def show(rows: Iterable[database.Row]) -> None:
    """Print one line for each row, its columns between tabs."""
    for row in rows:
        print("\t".join(str(column) for column in row))  # noqa: T201 - the answer of a command


class _Silent:
    """Looking after events emits nothing."""

    async def write(self, transaction: database.Transaction, happened: Sequence[object]) -> None:
        raise NotImplementedError
