"""What an operator may do about events whose handling failed: the command `python -m services parked`."""

from services.chassis import operators
from services.chassis.events import parked


async def operate(database_url: str, action: str, event_id: str, *, actor: str) -> int:
    """What an operator asked for on the command line: a process exit code."""
    async with operators.database_of(database_url) as db:
        if action == "list":
            operators.show(await parked.listed(db))
            return 0
        act = parked.replay if action == "replay" else parked.discard
        return 0 if await act(db, event_id, actor=actor) else 1
