"""Answers that are remembered: in this process, in Redis for longer, and never believed without a look at what changed.

To make an answer costs a hundred times what it costs to see whether it still holds. So what is remembered is not dropped when
something changes: the engine compares it with the documents that changed since (`Checker`). Products on the page that changed are
shown as they are now; where another page would be found the answer is made anew.

How many results there are, and their facets, are as old as the answer when there are more results than the page shows.
"""

import asyncio
import dataclasses
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import cachetools

from services.chassis import cache, database
from services.search import domain, store

# Answers that a process remembers itself; each is some thousand bytes.
KEPT = 1_000
NAME = "search:answer"


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """An answer, and what its engine needs to see whether it still holds; without proofs it holds until anything changes."""

    answer: bytes
    proofs: tuple[str, ...] = ()


Make = Callable[[], Awaitable[Made]]
# Shows these products, by id, in place of how an answer shows them.
Patch = Callable[[bytes, Mapping[str, domain.Hit]], bytes]


class Checker(Protocol):
    """Who sees whether answers still hold."""

    async def changed(self, proof: str, since: int) -> Mapping[str, domain.Hit] | None:
        """The products of the proof's page that look otherwise, by id; None if it is not that page any more, or may not be.

        since is a horizon (`store.Moment`): what was committed by then is known. Raises TransientError.
        """


class Moments:
    """The moment that this process goes on with, read again when it is older than `fresh_s` seconds."""

    def __init__(self, db: database.Database, *, fresh_s: float) -> None:
        self._db = db
        self._fresh = fresh_s
        self._known: store.Moment | None = None
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def now(self) -> store.Moment:
        """The moment. Raises TransientError."""
        async with self._reading:
            if self._known is None or time.monotonic() >= self._until:
                # From before it is read: what is committed meanwhile may be missing in it.
                until = time.monotonic() + self._fresh
                self._known, self._until = await store.moment(self._db), until
            return self._known


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept:
    """An answer that held at a moment, and when it was made (seconds since the epoch)."""

    made: Made
    generation: int
    horizon: int
    time: float

    def packed(self) -> bytes:
        head = json.dumps([self.made.proofs, self.generation, self.horizon, self.time]).encode()
        return head + b"\n" + self.made.answer


def _unpacked(data: bytes) -> _Kept | None:
    """What was packed; None for what code of another age has packed."""
    head, _, answer = data.partition(b"\n")
    try:
        proofs, generation, horizon, made = json.loads(head)
        return _Kept(Made(answer, tuple(proofs)), generation, horizon, made)
    except (ValueError, TypeError):
        return None


class Answers:
    """Answers as bytes. shared_s is how long one is remembered, in seconds, if it still holds."""

    def __init__(self, moments: Moments, shared: cache.Sharing, checker: Checker, *, shared_s: int) -> None:
        self._moments = moments
        self._shared = shared
        self._checker = checker
        self._shared_s = shared_s
        # What held a moment ago holds; and who asks for the same at the same time waits for one answer.
        packing = cache.Packing("search:moment", bytes, bytes, local_size=KEPT)
        self._recent: cache.Cache[bytes] = cache.Cache(cache.Unshared(), packing)
        self._kept: cachetools.LRUCache[str, _Kept] = cachetools.LRUCache(KEPT)

    async def read(self, asked: bytes, make: Make, patch: Patch | None = None) -> bytes:
        """The answer to what is asked, made if nobody remembers one that holds. Raises what `make` raises."""
        moment = await self._moments.now()
        digest = hashlib.blake2b(asked, digest_size=16).hexdigest()
        key = f"{moment.generation}:{digest}"

        async def load(_: Sequence[str]) -> dict[str, bytes]:
            # With a byte in front, because an empty answer is one too.
            return {key: b"." + await self._current(f"{moment.meaning}:{digest}", moment, make, patch)}

        return (await self._recent.read([key], load))[key][1:]

    async def _current(self, key: str, moment: store.Moment, make: Make, patch: Patch | None) -> bytes:
        where, kept = "local", self._kept.get(key)
        if kept is None or self._expired(kept):
            where, kept = "shared", await self._fetched(key)
        current = await self._checked(kept, moment, patch) if kept else None
        if current is None:
            where, current = "store", _Kept(await make(), moment.generation, moment.horizon, time.time())
            await self._shared.put({f"{NAME}:{key}": current.packed()}, self._shared_s, replace=True)
        self._kept[key] = current
        cache.READS.labels(NAME, where).inc()
        return current.made.answer

    def _expired(self, kept: _Kept) -> bool:
        return time.time() >= kept.time + self._shared_s

    async def _fetched(self, key: str) -> _Kept | None:
        [data] = await self._shared.get([f"{NAME}:{key}"])
        kept = _unpacked(data) if data else None
        return kept if kept and not self._expired(kept) else None

    async def _checked(self, kept: _Kept, moment: store.Moment, patch: Patch | None) -> _Kept | None:
        """What is remembered, as it is now; None if it does not hold any more."""
        if kept.generation == moment.generation:
            return kept
        if not kept.made.proofs or patch is None:
            return None
        news: dict[str, domain.Hit] = {}
        for proof in kept.made.proofs:
            found = await self._checker.changed(proof, kept.horizon)
            if found is None:
                return None
            news |= found
        made = dataclasses.replace(kept.made, answer=patch(kept.made.answer, news)) if news else kept.made
        return dataclasses.replace(kept, made=made, generation=moment.generation, horizon=moment.horizon)
