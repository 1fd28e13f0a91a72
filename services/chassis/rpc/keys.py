"""The public keys that verify access tokens, as the user service publishes them, kept here.

They are asked for again well before they are given up: after FRESH_S in the background, while those that are known go on to
count. Should the user service be away they count for KEPT_S, which is longer than a token lasts: whoever holds a good token
is let in for as long as it lasts. Whoever asks, one question is under way at a time.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

import jwt

from services.chassis import errors, tasks

_LOG = logging.getLogger(__name__)

FRESH_S = 60.0
KEPT_S = 3_600.0
# A key id that is not known makes us ask again, but not more often than this.
REFETCH_S = 5.0
# Without any key nobody is let in: ask again soon.
RETRY_S = 0.5

# Public keys by key id. Raises TransientError when they cannot be had.
Fetch = Callable[[], Awaitable[Mapping[str, jwt.PyJWK]]]
Clock = Callable[[], float]


class Keys:
    """The keys that `fetch` gives, kept and renewed."""

    def __init__(self, fetch: Fetch, clock: Clock = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._ask_again_at = float("-inf")
        self._away: errors.TransientError | None = None
        self._asking: asyncio.Task[None] | None = None

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """The key with this id, or None when the user service publishes none. Raises TransientError when nobody knows."""
        age = self._clock() - self._fetched_at
        if age > KEPT_S:
            self._keys = {}
        if key_id in self._keys:
            if age > FRESH_S:
                self._ask()
            return self._keys[key_id]
        asking = self._ask()
        if asking:
            # A caller that gives up must not take the answer from those who wait with it.
            await asyncio.shield(asking)
        if key_id not in self._keys and self._away:
            raise errors.TransientError(str(self._away))
        return self._keys.get(key_id)

    def _ask(self) -> asyncio.Task[None] | None:
        """The question that is under way, if one is, or may be asked now."""
        if self._asking is None and self._clock() >= self._ask_again_at:
            # For many callers: in the context of none of them.
            self._asking = tasks.spawn(self._renew(), name="token-keys")
        return self._asking

    async def _renew(self) -> None:
        try:
            self._keys = await self._fetch()
        except errors.TransientError as error:
            self._away = error
            _LOG.warning("keys of access tokens cannot be renewed", extra={"cause": str(error)})
        except errors.DomainError as error:
            self._away = errors.TransientError(f"keys: {error}")
            _LOG.error("keys of access tokens are refused", extra={"cause": str(error)})
        else:
            self._away = None
            self._fetched_at = self._clock()
        finally:
            self._ask_again_at = self._clock() + (REFETCH_S if self._keys else RETRY_S)
            self._asking = None
