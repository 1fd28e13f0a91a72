"""Chooses the engine of each search: OpenSearch when the index that is searched has a mirror there, PostgreSQL until it has."""

import asyncio
import time
from collections.abc import Sequence

from services.chassis import database, pages
from services.search import domain, pushes, usecases, words


class Selecting:
    """An engine that is one of two. What it knows of the index that is searched it reads again after fresh_s seconds.

    When OpenSearch is down, searches are unavailable: docs/decisions/026 says why.
    """

    def __init__(
        self, db: database.Database, mirrored: usecases.Engine, record: usecases.Engine, *, fresh_s: float = 1.0
    ) -> None:
        self._db = db
        self._fresh = fresh_s
        self._mirrored = mirrored
        self._record = record
        self._has_mirror = False
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def lexicon(self, some: Sequence[str]) -> words.Lexicon:
        """What is known of these words."""
        return await (await self._chosen()).lexicon(some)

    async def search(self, query: domain.Query, clauses: Sequence[words.Clause], page: pages.Page) -> domain.Found:
        """A page of the products that match all clauses and filters. The filters' categories are whole subtrees."""
        return await (await self._chosen()).search(query, clauses, page)

    def nothing(self, query: domain.Query, clauses: Sequence[words.Clause]) -> tuple[str, ...]:  # noqa: ARG002 - the port's
        """None: which engine searched is not known here, so such answers are remembered until anything changes."""
        return ()

    async def complete(self, typed: Sequence[str], most: int) -> Sequence[domain.Suggestion]:
        """Products whose title has all of these words, the last one perhaps unfinished; of each title one."""
        return await (await self._chosen()).complete(typed, most)

    async def _chosen(self) -> usecases.Engine:
        async with self._reading:
            if time.monotonic() >= self._until:
                until = time.monotonic() + self._fresh
                self._has_mirror, self._until = bool(await pushes.active_mirror(self._db)), until
        return self._mirrored if self._has_mirror else self._record
