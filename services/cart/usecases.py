"""What cart does: load, decide, save. Next stop: `store.py`."""

import logging
from collections.abc import Sequence

from services.cart import domain, store
from services.chassis import errors, redis_store

SERVICE = "cart"
_LOG = logging.getLogger(__name__)


class Entries:
    """The use cases of what people keep."""

    def __init__(self, redis: redis_store.RedisStore, *, most: int) -> None:
        self._redis = redis
        self._most = most

    async def get(self, user_id: str) -> domain.Entry:
        """What somebody keeps. Raises ENTRY_NOT_FOUND."""
        entry = await store.entry_of(self._redis, user_id)
        if entry is None:
            raise errors.not_found("ENTRY_NOT_FOUND", "nothing is kept here")
        return entry

    async def put(self, user_id: str, text: str) -> domain.Entry:
        """Keep this instead. Raises ENTRY_TOO_LONG."""
        words = domain.kept(text, most=self._most)
        return await store.save(self._redis, user_id, words)

    async def hear(self, keys: Sequence[str]) -> None:
        """Something happened to these. It may be told more than once."""
        _LOG.info("heard", extra={"events": len(keys)})
