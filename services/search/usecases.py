"""What search does: load, decide, save. Next stop: `store.py`."""

import logging
from collections.abc import Sequence

from services.chassis import database, errors
from services.search import domain, store

SERVICE = "search"
_LOG = logging.getLogger(__name__)


class Entries:
    """The use cases of what people keep."""

    def __init__(self, db: database.Database, *, most: int) -> None:
        self._db = db
        self._most = most

    async def get(self, user_id: str) -> domain.Entry:
        """What somebody keeps. Raises ENTRY_NOT_FOUND."""
        entry = await store.entry_of(self._db, user_id)
        if entry is None:
            raise errors.not_found("ENTRY_NOT_FOUND", "nothing is kept here")
        return entry

    async def put(self, user_id: str, text: str) -> domain.Entry:
        """Keep this instead. Raises ENTRY_TOO_LONG."""
        words = domain.kept(text, most=self._most)
        async with self._db.transaction() as transaction:
            return await store.save(transaction, user_id, words)

    async def hear(self, transaction: database.Transaction, keys: Sequence[str]) -> None:  # noqa: ARG002 - where it will write
        """Something happened to these."""
        _LOG.info("heard", extra={"events": len(keys)})
