"""What can be done with orders. Each use case takes a list, or is one of many that are gathered into a list.

A write is one transaction: order, saga, history, outbox and idempotency claim together, or none of them. If the process
dies before the commit nothing happened and the caller repeats with the same request id; if it dies after it, the relay
of whoever starts next publishes what was committed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Protocol

from services.chassis import clock, coalesce, database, errors, idempotency, ids, metrics, pages
from services.order import domain, saga, store

_LOG = logging.getLogger(__name__)

SERVICE = "order"
TIMER = "timer"
# Overdue sagas that the timer handles in one transaction.
OVERDUE_AT_ONCE = 200
# How long a saga waits that the timer could not handle, so that it does not stand in front of the others, in seconds.
FAILED_WAIT_S = 60.0
# A timer looks at least once a second, whichever process it is in. After so many seconds without one nobody was there.
AWAY_S = 10.0
# How long a watcher waits for news from this process before it looks into the database for others'.
WATCH_POLL_S = 0.25

# How many sagas are on their way, and how long the oldest has been; and those that wait for a person.
QUEUES = database.Statement("""
SELECT 'saga', count(*), extract(epoch FROM clock_timestamp() - min(update_time)) FROM sagas WHERE deadline IS NOT NULL
UNION ALL
SELECT 'saga_stuck', count(*), extract(epoch FROM clock_timestamp() - min(update_time)) FROM sagas WHERE stuck
""")


class Catalog(Protocol):
    """Where prices come from."""

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        """What these SKUs cost now; those not for sale are absent. Raises TransientError when nobody answers."""


class Orders:
    """The use cases of orders."""

    def __init__(self, db: database.Database, catalog: Catalog, *, now: clock.Clock, waits: saga.Waits) -> None:
        self._db = db
        self._catalog = catalog
        self._now = now
        self._waits = waits
        self._accepting = coalesce.Coalescer(self._accept, coalesce.Limits())
        self._watchers: dict[str, set[asyncio.Event]] = {}

    async def create(self, draft: domain.Draft) -> domain.Placed:
        """Accept an order: it is PENDING, or what its first request made of it. Concurrent calls share a transaction.

        Raises SKU_UNKNOWN, SKU_DUPLICATE, CURRENCY_MIXED, ORDER_TOTAL_TOO_LARGE or REQUEST_ID_REUSED.
        """
        return await self._accepting.call(draft)

    async def _accept(self, drafts: Sequence[domain.Draft]) -> list[domain.Placed | errors.DomainError]:
        metrics.COALESCED.labels(SERVICE).observe(len(drafts))
        # Prices are asked for before the transaction begins: no lock is held while we wait for another service.
        offers = await self._catalog.offers({item.sku for draft in drafts for item in draft.items})
        refused: dict[int, errors.DomainError] = {}
        begun: dict[int, saga.Begun] = {}
        for number, draft in enumerate(drafts):
            try:
                begun[number] = self._begin(draft, offers)
            except errors.DomainError as error:
                refused[number] = error
        answers = refused | await self._write(drafts, begun)
        return [answers[number] for number in range(len(drafts))]

    def _begin(self, draft: domain.Draft, offers: Mapping[str, domain.Offer]) -> saga.Begun:
        lines = domain.lines_of(draft.items, offers)
        now = self._now()
        order = domain.Order(
            id=ids.new_id(now),
            user_id=draft.user_id,
            lines=lines,
            total=domain.total_of(lines),
            address=draft.address,
            payment_method=draft.payment_method,
            create_time=now,
        )
        return saga.begin(order, ids.new_id(now))

    async def _write(
        self, drafts: Sequence[domain.Draft], begun: Mapping[int, saga.Begun]
    ) -> dict[int, domain.Placed | errors.DomainError]:
        """Write what is new; for a request that was made before, the order it made then, as it is now."""
        async with self._db.transaction() as transaction:
            made = await _claim(transaction, drafts, begun)
            new = [item for number, item in begun.items() if made[number] == item.placed.order.id]
            if new:
                await store.insert(transaction, [item.placed for item in new], self._waits)
                await store.append(transaction, [item.entry for item in new])
                transaction.emit(item.fact for item in new)
        written = {item.placed.order.id: item.placed for item in new}
        earlier = {order_id for order_id in made.values() if isinstance(order_id, str)} - written.keys()
        if earlier:
            written |= await store.load(self._db, list(earlier))
        return {number: written[answer] if isinstance(answer, str) else answer for number, answer in made.items()}

    async def advance(self, transaction: database.Transaction, events: Sequence[saga.Event]) -> None:
        """Carry these orders on, at most one event each. Unknown orders and late replies change nothing."""
        placed = await store.lock(transaction, [event.order_id for event in events])
        now = self._now()
        moved = [saga.advance(placed[event.order_id], event, now) for event in events if event.order_id in placed]
        advances = [advance for advance in moved if advance]
        _alarm_contradictions(
            event for event in events if event.order_id in placed and saga.contradicts(placed[event.order_id], event)
        )
        if not advances:
            return
        await store.save(transaction, [advance.saga for advance in advances], self._waits)
        await store.append(transaction, [advance.entry for advance in advances])
        _alarm(advances)
        transaction.emit(fact for advance in advances for fact in advance.facts)
        changed = [advance.saga.order_id for advance in advances]
        transaction.after_commit(lambda: self._tell_watchers(changed))

    async def expire(self) -> int:
        """Act on sagas whose deadline passed: how many there were. Raises TransientError."""
        await self._catch_up()
        overdue: list[str] = []
        try:
            async with self._db.transaction() as transaction:
                overdue = await store.lock_overdue(transaction, OVERDUE_AT_ONCE)
                await self._deadline_passed(transaction, overdue)
        except errors.TransientError:
            raise
        except Exception:  # noqa: BLE001 - logged, and found out below which saga it belongs to
            # Whatever it is, it belongs to one of the sagas: that one alone fails, and is tried again.
            _LOG.exception("overdue sagas failed together", extra={"orders": len(overdue)})
            for order_id in overdue:
                await self._expire_alone(order_id)
        return len(overdue)

    async def _expire_alone(self, order_id: str) -> None:
        try:
            async with self._db.transaction() as transaction:
                await self._deadline_passed(transaction, await store.lock_if_overdue(transaction, order_id))
        except errors.TransientError:
            raise
        except Exception:  # noqa: BLE001 - logged and counted; the others of the batch must go on
            metrics.ALARMS.labels(SERVICE, "timer_failed").inc()
            _LOG.exception("overdue saga failed", extra={"order_id": order_id})
            async with self._db.transaction() as transaction:
                await store.postpone_overdue(transaction, order_id, wait_s=FAILED_WAIT_S)

    async def _deadline_passed(self, transaction: database.Transaction, overdue: Sequence[str]) -> None:
        if overdue:
            await self.advance(
                transaction, [saga.Event(order_id, saga.Reply.DEADLINE_PASSED, TIMER) for order_id in overdue]
            )

    async def _catch_up(self) -> None:
        """Put deadlines off when nobody looked at them for a while: the replies of that time have still to be heard.

        Whoever looks at deadlines listens to replies. If all were away, or this database was put back to an earlier moment,
        the answers lie in the topics, and an order that was confirmed long ago would be cancelled for being late.
        """
        async with self._db.transaction() as transaction:
            seen_at, away_s = await store.look(transaction)
            if away_s <= AWAY_S:
                return
            waiting = await store.put_off(transaction, seen_at, least_s=self._waits.catch_up_s)
        extra = {"away_s": round(away_s), "orders": waiting}
        _LOG.warning("nobody looked at deadlines for a while: they are put off", extra=extra)

    async def cancel(self, order_id: str, *, actor: str, owner_id: str | None) -> domain.Placed:
        """Cancel an order that was not shipped. owner_id is whose it must be (None: anybody's). Raises ORDER_NOT_FOUND."""
        await self.get(order_id, owner_id=owner_id)
        async with self._db.transaction() as transaction:
            await self.advance(transaction, [saga.Event(order_id, saga.Reply.CANCEL_REQUESTED, actor)])
        return await self.get(order_id, owner_id=owner_id)

    async def resume(self, order_id: str, *, actor: str) -> domain.Placed:
        """Push on a saga that ran out of attempts. Raises ORDER_NOT_FOUND or SAGA_NOT_STUCK."""
        placed = await self.get(order_id, owner_id=None)
        if not placed.saga.stuck:
            raise errors.precondition("SAGA_NOT_STUCK", "this order's saga is not stuck", order_id=order_id)
        async with self._db.transaction() as transaction:
            await self.advance(transaction, [saga.Event(order_id, saga.Reply.RESUMED, actor)])
        return await self.get(order_id, owner_id=None)

    async def get(self, order_id: str, *, owner_id: str | None) -> domain.Placed:
        """One order. Raises ORDER_NOT_FOUND also when it is not this owner's."""
        placed = (await store.load(self._db, [order_id])).get(order_id)
        if placed is None or (owner_id is not None and placed.order.user_id != owner_id):
            raise errors.not_found("ORDER_NOT_FOUND", "there is no such order", order_id=order_id)
        return placed

    async def list(self, user_id: str, page: pages.Page) -> pages.Slice[domain.Placed]:
        """A user's orders, newest first."""
        rows = await store.page_of(self._db, user_id, page)
        return pages.cut(rows, page, lambda placed: placed.order.id)

    async def history(self, order_id: str, *, owner_id: str | None) -> Sequence[domain.HistoryEntry]:
        """An order's history, oldest first. Raises ORDER_NOT_FOUND."""
        await self.get(order_id, owner_id=owner_id)
        return await store.history(self._db, order_id)

    async def story(
        self, order_id: str, *, owner_id: str | None
    ) -> tuple[domain.Placed, Sequence[domain.HistoryEntry]]:
        """An order, and how it came to be what it is, oldest first. Raises ORDER_NOT_FOUND."""
        placed = await self.get(order_id, owner_id=owner_id)
        entries = await store.history(self._db, order_id)
        # What happened between the two reads is left to the next question: the history ends with the status that is shown.
        return placed, [entry for entry in entries if entry.sequence <= placed.saga.version]

    async def watch(self, order_id: str, *, owner_id: str | None, after: int = 0) -> AsyncIterator[domain.HistoryEntry]:
        """An order's history behind the entry `after` as it happens, until its saga ended. Raises ORDER_NOT_FOUND."""
        news = asyncio.Event()
        self._watchers.setdefault(order_id, set()).add(news)
        try:
            seen = after
            while True:
                news.clear()
                # The saga first: what it says is settled has its whole history written.
                now = (await self.get(order_id, owner_id=owner_id)).saga
                if now.version > seen:
                    for entry in await store.history(self._db, order_id, after=seen):
                        seen = entry.sequence
                        yield entry
                if now.settled:
                    return
                await _news_or_timeout(news)
        finally:
            self._watchers[order_id].discard(news)
            if not self._watchers[order_id]:
                del self._watchers[order_id]

    def _tell_watchers(self, order_ids: Iterable[str]) -> None:
        if self._watchers:
            for order_id in order_ids:
                for news in self._watchers.get(order_id, ()):
                    news.set()


async def _claim(
    transaction: database.Transaction, drafts: Sequence[domain.Draft], begun: Mapping[int, saga.Begun]
) -> dict[int, str | errors.DomainError]:
    """For each draft the id of the order that its request makes, or made before; or that the request was another one.

    Drafts that could not be begun are absent, unless their requests made orders before.
    """
    made: dict[int, str | errors.DomainError] = {number: item.placed.order.id for number, item in begun.items()}
    repeatable = [number for number in begun if drafts[number].request_id]
    claims = [_claim_of(drafts[number], begun[number].placed.order.id) for number in repeatable]
    made |= dict(zip(repeatable, await idempotency.claim(transaction, claims), strict=True))
    # What cannot be ordered now may have been ordered by this request before, whose answer was lost.
    again = [number for number, draft in enumerate(drafts) if number not in begun and draft.request_id]
    if again:
        found = await idempotency.find(transaction, [_claim_of(drafts[number], "") for number in again])
        made |= {number: answer for number, answer in zip(again, found, strict=True) if answer}
    return made


def _claim_of(draft: domain.Draft, order_id: str) -> idempotency.Claim:
    return idempotency.Claim(draft.user_id, draft.request_id, draft.fingerprint, order_id)


def _alarm(advances: Iterable[saga.Advance]) -> None:
    """What a person must look at goes to the log as an error, and to the counter that the alert watches."""
    for advance in advances:
        moved = advance.saga
        if moved.stuck or (advance.entry.event == saga.Reply.PAYMENT_CAPTURE_REFUSED):
            metrics.ALARMS.labels(SERVICE, "saga_stuck" if moved.stuck else "capture_refused").inc()
            _LOG.error("order needs a person", extra={"order_id": moved.order_id, "event": advance.entry.event})


def _alarm_contradictions(events: Iterable[saga.Event]) -> None:
    """A refusal of what was done before changes no order; but whoever says so has other books than we, and a person must look."""
    for event in events:
        metrics.ALARMS.labels(SERVICE, "answer_taken_back").inc()
        extra = {"order_id": event.order_id, "event": event.reply, "actor": event.actor}
        _LOG.error("a service refuses what it did before: its books are not ours", extra=extra)


async def _news_or_timeout(news: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(WATCH_POLL_S):
            await news.wait()
    except TimeoutError:
        return
