"""Counting: what really lies in a warehouse is recorded, and the stock corrected by the difference, in one transaction."""

from services.chassis import clock, database, errors, idempotency, ids, pages
from services.inventory import domain
from services.inventory.domain import counts
from services.inventory.domain.counts import Count, Draft
from services.inventory.store import counts as rows
from services.inventory.usecases import moving


class Counting:
    """The use cases of counts."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def count(self, draft: Draft) -> Count:
        """Record a count. A repeated request finds what its first made. Raises WAREHOUSE_UNKNOWN or REQUEST_ID_REUSED.

        Under the lock of the stock nothing moves: what moved between the count and now is in the history.
        """
        now = self._now()
        claim = idempotency.Claim(draft.actor, draft.request_id, draft.fingerprint, ids.new_id(now))
        async with self._db.transaction() as transaction:
            count_id = await idempotency.claim_one(transaction, claim)
            if count_id == claim.resource_id:
                await moving.check_warehouses(transaction, [draft.warehouse])
                places = {domain.Place(sku, draft.warehouse) for sku in draft.counted}
                levels = await moving.lock(transaction, places)
                here = {level.sku: level for level in levels if level.place in places}
                since = draft.count_time
                moved = await rows.moved_since(transaction, draft.warehouse, [*here], since) if since else {}
                lines = counts.compared(draft.counted, here, moved)
                count = Count(count_id, draft.warehouse, draft.note, draft.actor, since or now, now, lines)
                await rows.insert(transaction, count)
                await moving.move_locked(transaction, levels, count.movements)
                return count
        return await self.get(count_id)

    async def get(self, count_id: str) -> Count:
        """One count. Raises COUNT_NOT_FOUND."""
        found = await rows.one(self._db, count_id)
        if found is None:
            raise errors.not_found("COUNT_NOT_FOUND", "there is no such count")
        return found

    async def list(self, page: pages.Page) -> pages.Slice[Count]:
        """Counts, the newest first."""
        return pages.cut(await rows.page(self._db, page), page, lambda count: count.id)
