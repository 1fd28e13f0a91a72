"""Goods on their way: transfers between warehouses, and restock orders at suppliers.

Each use case is one transaction: the supply's row and the movements that go with it are there together, or neither is. A
process that dies before the commit did nothing; after it the call finds what was done by its request id.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime

from services.chassis import clock, database, errors, idempotency, ids, pages
from services.inventory.domain import supplies
from services.inventory.domain.supplies import Delivery, Draft, Kind, Supply
from services.inventory.store import supplies as rows
from services.inventory.usecases import moving

_NAMES: Mapping[Kind, tuple[str, str]] = {
    Kind.TRANSFER: ("TRANSFER_NOT_FOUND", "there is no such transfer"),
    Kind.RESTOCK: ("RESTOCK_ORDER_NOT_FOUND", "there is no such restock order"),
}


class Supplying:
    """The use cases of transfers and restock orders."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def begin(self, draft: Draft) -> Supply:
        """Send goods, which leave their warehouse at once, or order them. A repeated request finds what its first made.

        Raises WAREHOUSE_UNKNOWN, WAREHOUSE_SAME, STOCK_BELOW_RESERVED or REQUEST_ID_REUSED.
        """
        now = self._now()
        supply = supplies.begun(draft, ids.new_id(now), now)
        claim = idempotency.Claim(draft.actor, draft.request_id, draft.fingerprint, supply.id)
        async with self._db.transaction() as transaction:
            made = await idempotency.claim_one(transaction, claim)
            if made != supply.id:
                return await _locked(transaction, draft.kind, made)
            await moving.check_warehouses(transaction, draft.warehouses)
            await rows.insert(transaction, supply)
            if supply.kind is Kind.TRANSFER:
                leaving = supplies.moved(supply, supply.missing, supply.source, sign=-1)
                await moving.move(transaction, leaving)
        return supply

    async def get(self, kind: Kind, supply_id: str) -> Supply:
        """One supply. Raises TRANSFER_NOT_FOUND or RESTOCK_ORDER_NOT_FOUND."""
        return _there(kind, await rows.one(self._db, kind, supply_id))

    async def list(self, kind: Kind, page: pages.Page, *, under_way: bool) -> pages.Slice[Supply]:
        """Supplies of a kind, the newest first."""
        found = await rows.page(self._db, kind, page, under_way=under_way)
        return pages.cut(found, page, lambda supply: supply.id)

    async def receive(self, delivery: Delivery) -> Supply:
        """Put what has arrived on the shelf. A repeated request finds what its first did.

        Raises the errors of `get` and of `supplies.received`, STOCK_TOO_LARGE or REQUEST_ID_REUSED.
        """
        # A delivery has no id of its own.
        claim = idempotency.Claim(delivery.actor, delivery.request_id, delivery.fingerprint, str(uuid.uuid4()))
        async with self._db.transaction() as transaction:
            supply = await _locked(transaction, delivery.kind, delivery.id)
            if await idempotency.made_before(transaction, claim):
                return supply
            arrived = delivery.lines or supply.missing
            after = supplies.received(supply, arrived, self._now())
            await rows.update(transaction, after)
            await moving.move(transaction, supplies.moved(supply, arrived, supply.target, sign=1))
        return after

    async def end(self, kind: Kind, supply_id: str, *, returned: bool = False) -> Supply:
        """What is missing will not arrive; `returned` says that it is back where it came from. Again: nothing changes.

        Raises the errors of `get`, SUPPLY_ENDED or STOCK_TOO_LARGE.
        """
        async with self._db.transaction() as transaction:
            supply = await _locked(transaction, kind, supply_id)
            after = supplies.ended(supply, self._now(), returned=returned)
            if after is not supply:
                await rows.update(transaction, after)
                back = supplies.moved(supply, supply.missing, supply.source, sign=1) if returned else []
                await moving.move(transaction, back)
        return after

    async def expect(self, kind: Kind, supply_id: str, when: datetime | None) -> Supply:
        """Say when it is expected. Raises the errors of `get`, or SUPPLY_ENDED."""
        async with self._db.transaction() as transaction:
            after = supplies.expected(await _locked(transaction, kind, supply_id), when, self._now())
            await rows.update(transaction, after)
        return after


async def _locked(transaction: database.Transaction, kind: Kind, supply_id: str) -> Supply:
    return _there(kind, await rows.locked(transaction, kind, supply_id))


def _there(kind: Kind, found: Supply | None) -> Supply:
    if found is None:
        reason, said = _NAMES[kind]
        raise errors.not_found(reason, said)
    return found
