"""Access tokens that are refused before they expire: a short list that every service follows.

A token is revoked with its sign-in (a logout, a stolen refresh token), or because its account changed: tokens name the
version of the account that they were made from, and a new password or a lost role says from which version on they count.
Versions need no clock: a token that is made at the same moment from what was read before the change is refused too.

The user service is asked every EVERY_S for what is new. An entry is forgotten when the last token that it refuses has
expired, so the list holds what was revoked within the lifetime of an access token. While the user service is unavailable, the
known entries stay in force and other tokens are accepted (fail open): nothing can be revoked without that service. A service
that alone cannot reach it accepts a newly revoked token until the token expires (see docs/decisions).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Gauge

from services.chassis import errors, loops

_LOG = logging.getLogger(__name__)

EVERY_S = 1.0
# Entries that are kept at most, some 200 bytes each: more logins and logouts than the user service can hash passwords for.
MOST = 200_000

KNOWN = Gauge("souk_revocations", "Revoked sign-ins and accounts that a service knows of.", ["service"])
HEARD = Gauge("souk_revocations_heard_time_seconds", "When a service last heard what was revoked.", ["service"])


@dataclass(frozen=True, slots=True)
class Revocation:
    """A sign-in, none of whose tokens count, or an account, whose tokens count from the version `least_version` on.

    expire_time is when the last token that this refuses expires, in seconds since the epoch.
    """

    subject_id: str
    least_version: int
    expire_time: float


@dataclass(frozen=True, slots=True)
class News:
    """What was revoked, what to ask for next, and whether there is more at once."""

    revocations: Sequence[Revocation]
    next_since: datetime
    more: bool = False


# Tells what was revoked since then (None: all that still matters). Raises TransientError when nobody can be asked.
Fetch = Callable[[datetime | None], Awaitable[News]]


class Revocations:
    """The list of one service, as a part of its process."""

    def __init__(self, service: str, fetch: Fetch) -> None:
        self._service = service
        self._fetch = fetch
        self._since: datetime | None = None
        self._known: dict[str, Revocation] = {}
        self._tried = asyncio.Event()
        self._loop = loops.Loop(f"{service}-revocations", self.follow, loops.Pace(EVERY_S))

    async def start(self) -> None:
        """Begin to follow the list, in the background."""
        await self._loop.start()

    async def stop(self) -> None:
        """End."""
        await self._loop.stop()

    async def tried(self) -> None:
        """Wait until the list was asked for once, with or without success."""
        await self._tried.wait()

    def refuse(self, sign_in: str, user_id: str, version: int) -> bool:
        """Whether a token of this sign-in, made from this version of the account, was revoked."""
        if sign_in in self._known:
            return True
        account = self._known.get(user_id)
        return account is not None and version < account.least_version

    async def follow(self) -> int:
        """Ask for what is new: how much there was, when there is more at once, else 0. Raises TransientError."""
        try:
            news = await self._fetch(self._since)
        except errors.DomainError as error:
            # A user service of a release that knows no such call, for one.
            raise errors.TransientError(f"revocations: {error}") from error
        finally:
            self._tried.set()
        self._since = news.next_since
        for revocation in news.revocations:
            self._known[revocation.subject_id] = revocation
        self._forget()
        KNOWN.labels(self._service).set(len(self._known))
        HEARD.labels(self._service).set_to_current_time()
        return len(news.revocations) if news.more else 0

    def _forget(self) -> None:
        now = time.time()
        expired = [subject for subject, revocation in self._known.items() if revocation.expire_time <= now]
        for subject in expired:
            del self._known[subject]
        if (too_many := len(self._known) - MOST) > 0:
            _LOG.error("too many revoked tokens: the oldest are forgotten", extra={"forgotten": too_many})
            for subject in list(self._known)[:too_many]:
                del self._known[subject]
