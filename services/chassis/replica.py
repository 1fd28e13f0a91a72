"""Reads that may be a moment old, from a copy of the database, for callers whose own writes the copy has.

A caller must never miss what it wrote itself, wherever the call is served and without its help. So the service says by a
statement what the newest is that a caller wrote (its mark), and both databases are asked: a copy is replayed in the order of
commits, so one that answers the same has all of it. A copy that lags, is away or is too old is passed by: the database is asked.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from psycopg import conninfo

from services.chassis import credentials, database, errors

_LOG = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# How long a copy may take for an answer before the database is asked instead, and how long one that failed is left alone.
# Seconds.
PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0


class _Login(credentials.Credential):
    """The database's login, at the address of its copy. The copy's URL says what differs: `postgresql://host:port`."""

    def __init__(self, login: credentials.Credential, url: credentials.Credential) -> None:
        super().__init__("", service=login.service, variable=url.variable)
        self._login = login
        self._url = url

    def current(self) -> str:
        """Read anew for each connection: the password of both may change."""
        parts = conninfo.conninfo_to_dict(self._login.current()) | conninfo.conninfo_to_dict(self._url.current())
        return conninfo.make_conninfo("", **parts)


def opened(login: credentials.Credential, url: credentials.Credential, *, pool_size: int) -> database.Database:
    """A copy of the database with this login, at this URL. Nothing is written to it."""
    return database.Database(_Login(login, url), _Nothing(), pool_size=pool_size)


class _Nothing:
    async def write(self, _: database.Transaction, events: Any) -> None:  # noqa: ARG002 - named by the protocol
        raise RuntimeError("a copy of a database is only read")


class Reads:
    """Where a caller's reads go that may be a moment old.

    `mark` answers with one row, the same in both databases if the copy has all that the user `user_id` wrote. `age` answers with
    how many seconds old the copy is. Without a copy everything goes to the database.
    """

    def __init__(
        self,
        db: database.Database,
        copy: database.Database | None = None,
        *,
        mark: database.Statement,
        age: database.Statement,
        most_age_s: float = 10.0,
    ) -> None:
        self._db = db
        self._copy = copy
        self._mark = mark
        self._age = age
        self._most_age_s = most_age_s
        self._alone_until = 0.0
        # How many reads the copy served.
        self.served = 0

    async def read(self, user_id: str, ask: Callable[[database.Database], Awaitable[Answer]]) -> Answer:
        """What `ask` answers: of the copy, if it has what this user wrote. Raises TransientError for the database's own."""
        if self._copy and time.monotonic() >= self._alone_until:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    if await self._has(self._copy, user_id):
                        answer = await ask(self._copy)
                        self.served += 1
                        return answer
            except (errors.TransientError, TimeoutError) as error:
                self._alone_until = time.monotonic() + LEFT_ALONE_S
                _LOG.warning("the copy of the database is away: it is left alone", extra={"cause": repr(error)})
        return await ask(self._db)

    async def _has(self, copy: database.Database, user_id: str) -> bool:
        written = {"user_id": user_id}
        ours, theirs, [[age]] = await asyncio.gather(
            self._db.read(self._mark, written), copy.read(self._mark, written), copy.read(self._age)
        )
        return ours == theirs and age is not None and age <= self._most_age_s
