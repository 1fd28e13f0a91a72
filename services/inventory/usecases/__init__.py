"""What can be done with stock. What orders ask for comes as batches: lock, decide in memory, write once.

Each use case runs in the consumer's transaction, together with the claim of its events and the answers it emits. If the
process dies before the commit nothing happened and the batch comes again; after it the relay publishes the answers.
A wish that comes again is answered again and changes nothing.

What people do beside that has a module for each thing. `history`: reading and auditing what happened.
`supplying`: transfers and restock orders. `counting`: what really lies there.
`forecasting`: what to order. `moving`: how units move for all of them. `shelving`: what customers sent back.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.chassis import clock, database, errors, idempotency, pages
from services.inventory import domain, store
from services.inventory.domain import Cause, HoldStatus, allocation, nearness
from services.inventory.usecases import counting, forecasting, history, moving, shelving, supplying

SERVICE = "inventory"
# What orders say.
Said = domain.Want | domain.Confirmation | domain.Cancellation | domain.GoodsReturned
# Orders whose expired holds the reaper gives back in one transaction.
EXPIRED_AT_ONCE = 500
# For how long the warehouses are believed to be where they were, and preferred as they were. Seconds.
WAREHOUSES_S = 10.0
# Changed levels that are told of in one transaction, which holds their stock that long.
TOLD_AT_ONCE = 500


class Stock:
    """The use cases of inventory. hold_s is how long an order's hold lasts, in seconds.

    What orders make of a level is told at most once in levels_every_s seconds for each place. atlas knows where addresses are.
    """

    def __init__(
        self,
        db: database.Database,
        *,
        hold_s: float,
        levels_every_s: float = 5.0,
        atlas: nearness.Atlas = nearness.EMPTY,
    ) -> None:
        self._db = db
        self._atlas = atlas
        self._network = nearness.Network((), atlas)
        self._network_until = 0.0
        self._hold = timedelta(seconds=hold_s)
        self._levels_every = timedelta(seconds=levels_every_s)

    async def hear(self, transaction: database.Transaction, said: Sequence[Said]) -> None:
        """Do what orders ask for, at most one thing each.

        All rows are locked first, once and in one order (reservations by order, then stock by SKU), whatever the orders
        ask for: one lock for each kind of wish would let two batches wait for each other. Of an order that is placed again
        they are locked too, though nothing changes: every order of a batch is in its first wave, so that wave locks all that
        the later ones change.
        """
        wants = [item for item in said if isinstance(item, domain.Want)]
        confirmed = [item.order_id for item in said if isinstance(item, domain.Confirmation)]
        cancelled = [item.order_id for item in said if isinstance(item, domain.Cancellation)]
        seen = await store.known_orders(transaction, [want.order_id for want in wants]) if wants else set()
        fresh = [want for want in wants if want.order_id not in seen]
        goods = [item for item in said if isinstance(item, domain.GoodsReturned)]
        held = [*confirmed, *cancelled, *seen, *(item.order_id for item in goods)]
        known = await store.lock_holds(transaction, held) if held else store.Known()
        planned = await shelving.plan(transaction, goods) if goods else []
        wanted = (sku for want in fresh for sku in want.lines)
        levels = await store.lock(transaction, [*known.skus, *wanted, *(movement.sku for movement in planned)])
        if fresh:
            await self._reserve(transaction, fresh, levels)
        if confirmed:
            await self._commit(transaction, confirmed, known.statuses)
        if cancelled:
            await self._release(transaction, cancelled)
        if planned:
            await shelving.shelve(transaction, planned)

    async def reserve(self, transaction: database.Transaction, wants: Sequence[domain.Want]) -> None:
        """Hold all lines of each order or none, in the order they came, and say which. Orders seen before are skipped."""
        await self.hear(transaction, wants)

    async def commit(self, transaction: database.Transaction, order_ids: Sequence[str]) -> None:
        """Take the held stock of confirmed orders off the shelf. A hold that had expired is made again, if it can be.

        An order for which nothing was ever held, as far as is known, is refused: it would wait for an answer for ever.
        """
        await self.hear(transaction, [domain.Confirmation(order_id) for order_id in order_ids])

    async def release(self, transaction: database.Transaction, order_ids: Sequence[str]) -> None:
        """Give back whatever is held or was taken for cancelled orders. Always answers, also when it was nothing."""
        await self.hear(transaction, [domain.Cancellation(order_id) for order_id in order_ids])

    async def _reserve(
        self, transaction: database.Transaction, fresh: Sequence[domain.Want], levels: Sequence[domain.Level]
    ) -> None:
        network = await self._warehouses(transaction, levels)
        allocated = allocation.allocate(fresh, levels, network.rank)
        expire_time = await store.now(transaction) + self._hold
        if allocated.holds:
            await store.hold(transaction, allocated.holds, expire_time)
            taken = domain.totals(allocated.holds)
            await store.change(transaction, taken, on_hand=0, reserved=1)
            transaction.emit(domain.fallen_low(levels, taken))
        for want in fresh:
            shortages = allocated.rejected.get(want.order_id)
            if shortages:
                transaction.emit([domain.StockRejected(want.order_id, shortages)])
            else:
                transaction.emit([domain.StockReserved(want.order_id, expire_time)])

    async def _warehouses(self, transaction: database.Transaction, levels: Sequence[domain.Level]) -> nearness.Network:
        """The warehouses, read anew now and then, and when stock lies in one that nobody knew of."""
        known = self._network.ids
        if time.monotonic() > self._network_until or any(level.warehouse not in known for level in levels):
            self._network = nearness.Network(await store.warehouses_of(transaction), self._atlas)
            self._network_until = time.monotonic() + WAREHOUSES_S
        return self._network

    async def _commit(
        self,
        transaction: database.Transaction,
        order_ids: Sequence[str],
        statuses: Mapping[str, set[HoldStatus]],
    ) -> None:
        ended = [order_id for order_id in order_ids if HoldStatus.EXPIRED in statuses.get(order_id, ())]
        lost = await self._hold_again(transaction, ended) if ended else {}
        lost |= {order_id: () for order_id in order_ids if order_id not in statuses}
        held = await store.move_holds(transaction, order_ids, HoldStatus.HELD, HoldStatus.COMMITTED)
        await self._change(transaction, held, on_hand=-1, reserved=-1, reason="sold")
        # Confirmed before, and said again because the answer was missing: the answer is repeated.
        before = [order_id for order_id in order_ids if HoldStatus.COMMITTED in statuses.get(order_id, ())]
        again = await store.holds_of(transaction, before, HoldStatus.COMMITTED) if before else []
        picks: dict[str, list[domain.Hold]] = {}
        for hold in [*held, *again]:
            picks.setdefault(hold.order_id, []).append(hold)
        transaction.emit(domain.StockRejected(order_id, shortages) for order_id, shortages in lost.items())
        transaction.emit(domain.StockCommitted(order_id, tuple(of_order)) for order_id, of_order in picks.items())

    async def _release(self, transaction: database.Transaction, order_ids: Sequence[str]) -> None:
        held = await store.move_holds(transaction, order_ids, HoldStatus.HELD, HoldStatus.RELEASED)
        taken = await store.move_holds(transaction, order_ids, HoldStatus.COMMITTED, HoldStatus.RETURNED)
        await self._change(transaction, held, on_hand=0, reserved=-1)
        await self._change(transaction, taken, on_hand=1, reserved=0, reason="returned")
        transaction.emit(domain.StockReleased(order_id, Cause.ORDER_CANCELLED) for order_id in order_ids)

    async def reap(self) -> int:
        """Give back what is held past its time: how many orders it was. Raises TransientError."""
        async with self._db.transaction() as transaction:
            ended = await store.lock_expired(transaction, EXPIRED_AT_ONCE)
            if ended:
                held = await store.move_holds(transaction, ended, HoldStatus.HELD, HoldStatus.EXPIRED)
                await store.lock(transaction, [hold.sku for hold in held])
                await self._change(transaction, held, on_hand=0, reserved=-1)
                transaction.emit(domain.StockReleased(order_id, Cause.HOLD_EXPIRED) for order_id in ended)
        return len(ended)

    async def tell_levels(self) -> int:
        """Tell of the levels that orders changed, as they are now: how many were due. Raises TransientError."""
        async with self._db.transaction() as transaction:
            due = await store.changed(transaction, at_least=self._levels_every, most=TOLD_AT_ONCE)
            if due:
                # The stock first, as everybody does: no order changes it between its reading and the taking of its note.
                levels = await store.lock(transaction, [place.sku for place in due])
                ours = await store.take_changed(transaction, due)
                transaction.emit(domain.StockLevelChanged(level) for level in levels if level.place in ours)
        return len(due)

    async def set_level(self, wanted: domain.Level, *, actor: str) -> domain.Level:
        """Say how many lie at a place; the difference is a movement. Raises WAREHOUSE_UNKNOWN, STOCK_BELOW_RESERVED."""
        async with self._db.transaction() as transaction:
            levels, before = await self._lock_place(transaction, wanted.place)
            delta = wanted.on_hand - before.on_hand
            moved = domain.Movement(wanted.sku, wanted.warehouse, delta, "corrected", actor)
            return await self._move(transaction, levels, moved) or before

    async def adjust(self, wanted: domain.Adjustment) -> domain.Level:
        """Say how many came to a place or went; a repeated request finds what its first did.

        Raises WAREHOUSE_UNKNOWN, STOCK_BELOW_RESERVED, STOCK_TOO_LARGE or REQUEST_ID_REUSED.
        """
        async with self._db.transaction() as transaction:
            levels, before = await self._lock_place(transaction, wanted.place)
            if await idempotency.made_before(transaction, _claim_of(wanted)):
                return before
            sku, warehouse = wanted.place.sku, wanted.place.warehouse
            moved = domain.Movement(sku, warehouse, wanted.delta, "adjusted", wanted.actor, wanted.note)
            return await self._move(transaction, levels, moved) or before

    async def set_threshold(self, sku: str, threshold: int) -> None:
        """Say below how many a SKU counts as low: from the next time on that it falls."""
        await store.put_threshold(self._db, sku, threshold)

    async def warehouses(self) -> Sequence[domain.Warehouse]:
        """All warehouses, the preferred ones first."""
        return await store.warehouses(self._db)

    async def put_warehouse(self, warehouse: domain.Warehouse) -> None:
        """Make a warehouse, or change what is known of it."""
        await store.put_warehouse(self._db, warehouse)
        self._network_until = 0.0

    async def levels(self, sku: str) -> Sequence[domain.Level]:
        """The stock of a SKU in each warehouse. Raises SKU_NOT_FOUND."""
        found = await store.levels_of(self._db, [sku])
        if not found:
            raise errors.not_found("SKU_NOT_FOUND", "there is no stock record of this SKU", sku=sku)
        return found

    async def page(self, page: pages.Page) -> pages.Slice[Sequence[domain.Level]]:
        """The stock of SKUs, by SKU: for each its levels by warehouse."""
        found = pages.cut(await store.sku_page(self._db, page), page, str)
        return pages.Slice(await self.batch(found.rows), found.next_after)

    async def batch(self, skus: Sequence[str]) -> list[Sequence[domain.Level]]:
        """The stock of these SKUs, by SKU: for each that has some its levels by warehouse."""
        by_sku: dict[str, list[domain.Level]] = {}
        for level in await store.levels_of(self._db, skus):
            by_sku.setdefault(level.sku, []).append(level)
        return list(by_sku.values())

    async def _lock_place(
        self, transaction: database.Transaction, place: domain.Place
    ) -> tuple[list[domain.Level], domain.Level]:
        """All levels of a place's SKU, locked, and the place's own. Raises WAREHOUSE_UNKNOWN."""
        await moving.check_warehouses(transaction, [place.warehouse])
        levels = await moving.lock(transaction, [place])
        return levels, next(level for level in levels if level.place == place)

    async def _move(
        self, transaction: database.Transaction, levels: Sequence[domain.Level], moved: domain.Movement
    ) -> domain.Level | None:
        """Make one movement happen at a locked place: the level it made; None when nothing moved."""
        after = await moving.move_locked(transaction, levels, [moved] if moved.delta else [])
        return after[0] if after else None

    async def _hold_again(
        self, transaction: database.Transaction, order_ids: Sequence[str]
    ) -> dict[str, tuple[domain.Shortage, ...]]:
        """Hold again what had expired, at the same places: the shortages of the orders for which it is gone."""
        expired = await store.holds_of(transaction, order_ids, HoldStatus.EXPIRED)
        levels = {level.place: level for level in await store.lock(transaction, [hold.sku for hold in expired])}
        free = {place: level.available for place, level in levels.items()}
        lost: dict[str, tuple[domain.Shortage, ...]] = {}
        for order_id in order_ids:
            own = [hold for hold in expired if hold.order_id == order_id]
            short = [hold for hold in own if free.get(hold.place, 0) < hold.quantity]
            if short:
                lost[order_id] = tuple(domain.Shortage(h.sku, h.quantity, max(free.get(h.place, 0), 0)) for h in short)
                continue
            for hold in own:
                free[hold.place] -= hold.quantity
        kept = [order_id for order_id in order_ids if order_id not in lost]
        held = await store.move_holds(transaction, kept, HoldStatus.EXPIRED, HoldStatus.HELD)
        await self._change(transaction, held, on_hand=0, reserved=1)
        transaction.emit(domain.fallen_low(list(levels.values()), domain.totals(held)))
        return lost

    async def _change(
        self,
        transaction: database.Transaction,
        holds: Sequence[domain.Hold],
        *,
        on_hand: int,
        reserved: int,
        reason: str = "",
    ) -> None:
        if not holds:
            return
        await store.change(transaction, domain.totals(holds), on_hand=on_hand, reserved=reserved)
        if on_hand:
            moved = [domain.Movement(h.sku, h.warehouse, on_hand * h.quantity, reason, h.order_id) for h in holds]
            await store.record(transaction, moved)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that can be done with stock, on one database."""

    stock: Stock
    history: history.History
    supplying: supplying.Supplying
    counting: counting.Counting
    forecasting: forecasting.Forecasting


def inventory(
    db: database.Database,
    *,
    hold_s: float,
    levels_every_s: float = 5.0,
    atlas: nearness.Atlas = nearness.EMPTY,
    now: clock.Clock = clock.utc_now,
) -> Inventory:
    """The use cases on this database."""
    return Inventory(
        Stock(db, hold_s=hold_s, levels_every_s=levels_every_s, atlas=atlas),
        history.History(db),
        supplying.Supplying(db, now=now),
        counting.Counting(db, now=now),
        forecasting.Forecasting(db, now=now),
    )


def _claim_of(wanted: domain.Adjustment) -> idempotency.Claim:
    # An adjustment has no id of its own.
    return idempotency.Claim(wanted.actor, wanted.request_id, wanted.fingerprint, str(uuid.uuid4()))
