"""What an operator may do about events whose handling failed: the command `python -m services parked`."""

from collections.abc import Sequence

from services.chassis import database
from services.chassis.events import parked


async def operate(database_url: str, action: str, event_id: str, *, actor: str) -> int:
    """What an operator asked for on the command line: a process exit code."""
    db = database.Database(database_url, _Silent(), pool_size=1)
    await db.start()
    try:
        if action == "list":
            for row in await parked.listed(db):
                print("\t".join(str(column) for column in row))  # noqa: T201 - the answer of a command
            return 0
        act = parked.replay if action == "replay" else parked.discard
        return 0 if await act(db, event_id, actor=actor) else 1
    finally:
        await db.stop()


class _Silent:
    """Looking after parked events emits nothing."""

    async def write(self, transaction: database.Transaction, happened: Sequence[object]) -> None:
        raise NotImplementedError
