"""Returns: what customers send back of delivered orders, what people decide about it, and what payment answers.

Each is one transaction: the return, its history, its event and the claim of the request, or none of them. What a person asks for
is decided under the lock of the order, so two wishes at once never return more than was delivered. Neither stock nor money
move here: inventory and payment hear of the inspection, do each their part once, and payment answers.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.chassis import clock, database, errors, idempotency, ids
from services.order import domain, store
from services.order.domain import returns
from services.order.store import returns as rows
from services.order.usecases import reading

PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class _Locked:
    """A return with its order and all returns of that, all locked."""

    placed: domain.Placed
    back: returns.Return
    all: Sequence[returns.Return]


# What somebody's decision makes of a return; None when it was made before.
_Decide = Callable[[_Locked], returns.Moved | None]


class Returning:
    """The use cases of returns. window is for how long after its delivery an order may be returned.

    accept accepts an order, as for anybody who orders.
    """

    def __init__(
        self,
        db: database.Database,
        accept: Callable[[domain.Draft], Awaitable[domain.Placed]],
        *,
        now: clock.Clock,
        window: timedelta,
    ) -> None:
        self._db = db
        self._accept = accept
        self._now = now
        self._window = window
        self._reading = reading.Reading(db)

    async def request(self, wish: returns.Wish, *, actor: str, owner_id: str | None) -> returns.Return:
        """Ask for something to be taken back; a repeated request finds what its first made.

        Raises ORDER_NOT_FOUND also when it is not this owner's, ORDER_NOT_DELIVERED, RETURN_WINDOW_CLOSED, RETURN_LIMIT_REACHED,
        SKU_NOT_ORDERED, SKU_DUPLICATE, RETURN_QUANTITY_EXCEEDED or REQUEST_ID_REUSED.
        """
        await self._reading.get(wish.order_id, owner_id=owner_id)
        now = self._now()
        new_id = ids.new_id(now)
        async with self._db.transaction() as transaction:
            placed = (await store.lock(transaction, [wish.order_id]))[wish.order_id]
            claim = idempotency.Claim(actor, wish.request_id, wish.fingerprint, new_id)
            return_id = await idempotency.claim_one(transaction, claim)
            if return_id != new_id:
                return (await rows.lock(transaction, [return_id]))[return_id]
            delivered = await rows.delivered_at(transaction, wish.order_id)
            returns.check_window(placed, delivered, self._window, now)
            earlier = await rows.lock_of_order(transaction, wish.order_id)
            did = returns.Did(returns.Event.REQUESTED, actor, now)
            moved = returns.request(placed, wish, earlier, new_id, did)
            await rows.insert(transaction, moved)
            transaction.emit(moved.facts)
            return moved.back

    async def get(self, return_id: str, *, owner_id: str | None) -> tuple[returns.Return, Sequence[returns.Entry]]:
        """One return with its history. Raises RETURN_NOT_FOUND also when it is not this owner's."""
        back = await self._find(return_id, owner_id=owner_id)
        entries = await rows.history(self._db, return_id)
        return back, [entry for entry in entries if entry.sequence <= back.version]

    async def of_order(self, order_id: str, *, owner_id: str | None) -> Sequence[returns.Return]:
        """The returns of an order, oldest first. Raises ORDER_NOT_FOUND also when it is not this owner's."""
        await self._reading.get(order_id, owner_id=owner_id)
        return await rows.of_order(self._db, order_id)

    async def approve(self, return_id: str, *, actor: str) -> None:
        """Grant a return. Raises RETURN_NOT_FOUND or RETURN_STATUS_WRONG."""
        did = returns.Did(returns.Event.APPROVED, actor, self._now())
        await self._decide(return_id, lambda locked: returns.move(locked.back, did))

    async def reject(self, return_id: str, reason: str, *, actor: str) -> None:
        """Refuse a return, or end one whose goods never came. Raises RETURN_NOT_FOUND or RETURN_STATUS_WRONG."""
        did = returns.Did(returns.Event.REJECTED, actor, self._now(), reason)
        await self._decide(return_id, lambda locked: returns.move(locked.back, did, reject_reason=reason))

    async def receive(self, return_id: str, warehouse: str, *, actor: str) -> None:
        """Say that the goods of a return are there. Raises RETURN_NOT_FOUND or RETURN_STATUS_WRONG."""
        did = returns.Did(returns.Event.RECEIVED, actor, self._now())
        await self._decide(return_id, lambda locked: returns.move(locked.back, did, warehouse=warehouse))

    async def inspect(self, return_id: str, findings: Sequence[returns.Finding], *, actor: str) -> None:
        """Say what came back: what is due for it follows. Raises RETURN_NOT_FOUND, RETURN_STATUS_WRONG or FINDINGS_WRONG."""
        did = returns.Did(returns.Event.INSPECTED, actor, self._now())
        await self._decide(
            return_id,
            lambda locked: returns.inspect(locked.placed.order, locked.back, findings, locked.all, did),
        )

    async def exchange(self, return_id: str, draft: domain.Draft) -> domain.Placed:
        """Place this order in exchange for a return of the same customer's: the order, or that of the first exchange.

        The draft is known again by the return. If the process dies between the order and its mention, a repeated call finds it.
        Raises RETURN_NOT_FOUND, RETURN_STATUS_WRONG, and what a new order raises.
        """
        back = await self._find(return_id, owner_id=draft.user_id)
        if back.exchange_order_id:
            return await self._reading.get(back.exchange_order_id, owner_id=draft.user_id)
        returns.check_exchange(back)
        placed = await self._accept(replace(draft, request_id=f"return:{return_id}"))
        did = returns.Did(returns.Event.EXCHANGED, f"user:{draft.user_id}", self._now())
        await self._decide(return_id, lambda locked: returns.exchanged(locked.back, placed.order.id, did))
        return placed

    async def settle(self, transaction: database.Transaction, settled: Sequence[returns.Settled]) -> None:
        """Payment has given back the money of these returns, at most one of each order. What is known changes nothing."""
        locked = await rows.lock(transaction, [item.return_id for item in settled])
        did = returns.Did(returns.Event.REFUNDED, PAYMENT, self._now())
        known = [item for item in settled if item.return_id in locked]
        found = [returns.refunded(locked[item.return_id], item.amount, did) for item in known]
        moved = [item for item in found if item]
        if moved:
            await rows.save(transaction, moved)
            transaction.emit(fact for item in moved for fact in item.facts)

    async def _decide(self, return_id: str, decide: _Decide) -> None:
        order_id = (await self._find(return_id, owner_id=None)).order_id
        async with self._db.transaction() as transaction:
            placed = (await store.lock(transaction, [order_id]))[order_id]
            of_order = await rows.lock_of_order(transaction, order_id)
            back = next(item for item in of_order if item.id == return_id)
            moved = decide(_Locked(placed, back, of_order))
            if moved:
                await rows.save(transaction, [moved])
                transaction.emit(moved.facts)

    async def _find(self, return_id: str, *, owner_id: str | None) -> returns.Return:
        back = await rows.find(self._db, return_id)
        if back is None or (owner_id is not None and back.user_id != owner_id):
            raise errors.not_found("RETURN_NOT_FOUND", "the return does not exist", return_id=return_id)
        return back
