"""Transactions of a test that wait for each other's locks."""

from services.chassis import database
from tests.support import polling

_WAITING = database.Statement("""
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
""")


async def somebody_waits(db: database.Database) -> None:
    """Return when a transaction on this database waits for a lock. Raises TimeoutError when none does."""

    async def waiting() -> bool:
        return await db.read(_WAITING) != [(0,)]

    await polling.eventually(waiting)
