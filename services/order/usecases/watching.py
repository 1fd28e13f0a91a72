"""Watching orders: all streams of a process share one query, whatever their number.

A tick asks for what is new of all watched orders at once; a transaction of this process that moves a watched order asks for
that one immediately. Other processes' transactions are seen by the next tick.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from services.chassis import database, errors, loops
from services.order import domain
from services.order.store import history
from services.order.usecases import reading

# Between two questions about all watched orders, in seconds.
TICK_S = 0.25
# Orders that move within this time are asked about together.
GATHER_S = 0.02
# When somebody who has too many streams may try again, in seconds.
RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many streams may be open at once: of one caller in this process, and in this process in all."""

    of_caller: int = 10
    in_all: int = 1000


class _Stream:
    """One caller's stream. `seen` is the sequence of the last entry that was put into it."""

    def __init__(self, after: int) -> None:
        self.seen = after
        self.news: asyncio.Queue[domain.HistoryEntry | None] = asyncio.Queue()

    def put(self, entries: Iterable[domain.HistoryEntry]) -> None:
        """Add those entries that it does not have."""
        for entry in entries:
            if entry.sequence > self.seen:
                self.seen = entry.sequence
                self.news.put_nowait(entry)

    def end(self) -> None:
        """Nothing more will come."""
        self.news.put_nowait(None)


class Watching:
    """The streams of this process, and the loop that feeds them."""

    def __init__(self, db: database.Database, limits: Limits) -> None:
        self._db = db
        self._reading = reading.Reading(db)
        self._limits = limits
        self._streams: dict[str, set[_Stream]] = {}
        self._open: Counter[str] = Counter()
        self._moved: set[str] = set()
        self._ticked = 0.0
        self._loop = loops.Loop("order-watch", self.poll, loops.Pace(TICK_S, gather_s=GATHER_S))

    async def start(self) -> None:
        """Begin to feed streams."""
        await self._loop.start()

    async def stop(self) -> None:
        """End. The server has ended the streams before."""
        await self._loop.stop()

    @property
    def open(self) -> int:
        """How many streams are open."""
        return self._open.total()

    def moved(self, order_ids: Sequence[str]) -> None:
        """These orders were changed by a transaction of this process."""
        watched = self._streams.keys() & set(order_ids) if self._streams else ()
        if watched:
            self._moved.update(watched)
            self._loop.wake()

    async def watch(
        self, order_id: str, *, caller: str, owner_id: str | None, after: int = 0
    ) -> AsyncGenerator[domain.HistoryEntry]:
        """An order's history behind the entry `after` as it happens, until its saga ended.

        caller is whose stream it is. owner_id is whose the order must be (None: anybody's). Raises ORDER_NOT_FOUND or
        TOO_MANY_STREAMS.
        """
        with self._admitted(caller):
            await self._reading.get(order_id, owner_id=owner_id)
            with self._stream(order_id, after) as stream:
                while entry := await stream.news.get():
                    yield entry

    async def poll(self) -> int:
        """Ask once about all watched orders, or between ticks about those that moved: how many there was news of."""
        order_ids = self._due()
        if not order_ids:
            return 0
        asked = {order_id: min(stream.seen for stream in self._streams[order_id]) for order_id in order_ids}
        found = await history.news(self._db, asked)
        for news in found:
            self._feed(news, asked[news.order_id])
        return len(found)

    def _due(self) -> set[str]:
        moved, self._moved = self._moved, set()
        now = time.monotonic()
        if now - self._ticked < TICK_S:
            return moved & self._streams.keys()
        self._ticked = now
        return set(self._streams)

    def _feed(self, news: history.News, asked: int) -> None:
        for stream in self._streams.get(news.order_id, ()):
            if stream.seen < asked:
                # It was opened after the question, and wants to know more than was asked for: the next one is for it.
                self._moved.add(news.order_id)
                continue
            stream.put(news.entries)
            if news.settled:
                stream.end()

    @contextmanager
    def _admitted(self, caller: str) -> Iterator[None]:
        for scope, opened, limit in (
            ("caller", self._open[caller], self._limits.of_caller),
            ("process", self.open, self._limits.in_all),
        ):
            if opened >= limit:
                raise _too_many(scope, limit)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    @contextmanager
    def _stream(self, order_id: str, after: int) -> Iterator[_Stream]:
        stream = _Stream(after)
        self._streams.setdefault(order_id, set()).add(stream)
        self.moved([order_id])
        try:
            yield stream
        finally:
            self._streams[order_id].discard(stream)
            if not self._streams[order_id]:
                del self._streams[order_id]


def _too_many(scope: str, limit: int) -> errors.DomainError:
    said = {"caller": "you have too many streams open", "process": "this server has too many streams open"}
    return errors.DomainError(
        errors.Code.RESOURCE_EXHAUSTED,
        "TOO_MANY_STREAMS",
        f"{said[scope]}: at most {limit}",
        {"limit": str(limit), "scope": scope},
        retry_after_s=RETRY_S,
    )
