"""Notes on orders: written by the order's customer or an administrator, and read by those whom they are for."""

from services.chassis import clock, database, idempotency, ids, pages
from services.order.domain import notes
from services.order.store import notes as rows
from services.order.usecases import reading


class Noting:
    """Writes and reads notes."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now
        self._reading = reading.Reading(db)

    async def add(self, draft: notes.Draft, *, owner_id: str | None) -> notes.Note:
        """Add a note to an order; by a request that was made before, the note of then.

        owner_id is whose order it must be (None: anybody's, by staff). Raises ORDER_NOT_FOUND, NOTE_INTERNAL, NOTES_FULL or
        REQUEST_ID_REUSED.
        """
        staff = owner_id is None
        notes.check_author(internal=draft.internal, staff=staff)
        placed = await self._reading.get(draft.order_id, owner_id=owner_id)
        by_staff = staff and draft.author_id != placed.order.user_id
        now = self._now()
        note = notes.Note(
            ids.new_id(now), draft.order_id, draft.author_id, by_staff, draft.internal, draft.text, now, 0
        )
        async with self._db.transaction() as transaction:
            claim = idempotency.Claim(draft.author_id, draft.request_id, draft.fingerprint, note.id)
            made = await idempotency.claim_one(transaction, claim)
            if made != note.id:
                return await rows.get(transaction, made)
            notes.check_room(draft.order_id, await rows.lock(transaction, draft.order_id))
            return await rows.insert(transaction, note)

    async def list(self, order_id: str, page: pages.Page, *, owner_id: str | None) -> pages.Slice[notes.Note]:
        """An order's notes, oldest first; internal ones for staff (owner_id None). Raises ORDER_NOT_FOUND."""
        await self._reading.get(order_id, owner_id=owner_id)
        found = await rows.page_of(self._db, order_id, page, staff=owner_id is None)
        return pages.cut(found, page, lambda note: note.id)
