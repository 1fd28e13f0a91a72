"""Codes: made one by one or many at once, and read as a stream.

The codes of a batch, the batch and the claim of its request are one transaction: all of them are there or none. Claims of
the same promotion go on meanwhile, because making codes locks no promotion.
"""

import secrets
from collections.abc import AsyncGenerator, Sequence

from services.chassis import clock, database, idempotency, ids
from services.promotion import store
from services.promotion.domain import codes, promotions
from services.promotion.domain.codes import RANDOM_LENGTH
from services.promotion.usecases import administering

# Codes that are written, or read, in one statement: the event loop is not kept longer by them.
AT_ONCE = 5_000
EXPORTED_AT_ONCE = 1_000


class Coding:
    """The use cases of codes."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def create(self, wanted: codes.Order) -> codes.Batch:
        """Make the codes; a repeated request finds what its first made.

        Raises PROMOTION_NOT_FOUND, PROMOTION_AUTOMATIC, PROMOTION_ENDED, CODE_TAKEN or REQUEST_ID_REUSED.
        """
        now = self._now()
        batch = codes.Batch(ids.new_id(now), wanted.promotion_id, wanted.count)
        claim = idempotency.Claim(wanted.actor, wanted.request_id, wanted.fingerprint, batch.id)
        async with self._db.transaction() as transaction:
            made = await idempotency.claim_one(transaction, claim)
            if made != batch.id:
                return await store.batch(transaction, made)
            await self._check(transaction, wanted.promotion_id)
            await store.insert_batch(transaction, batch, now)
            await self._fill(transaction, wanted, batch)
        return batch

    async def _check(self, transaction: database.Transaction, promotion_id: str) -> None:
        found = await store.read_promotions(transaction, [promotion_id])
        if promotion_id not in found:
            raise administering.not_found(promotion_id)
        codes.check_takes_codes(found[promotion_id])
        promotions.check_open(found[promotion_id], self._now())

    async def _fill(self, transaction: database.Transaction, wanted: codes.Order, batch: codes.Batch) -> None:
        if wanted.code:
            if not await store.insert_codes(transaction, batch, [codes.written(wanted.code)], wanted.most_uses):
                raise codes.taken(codes.written(wanted.code))
            return
        missing = batch.count
        while missing:
            chance = secrets.token_bytes(RANDOM_LENGTH * min(missing, AT_ONCE))
            # One that exists already is not written again, and another one takes its place.
            fresh = sorted(set(codes.generated(chance, wanted.prefix)))
            missing -= await store.insert_codes(transaction, batch, fresh, wanted.most_uses)

    async def export(
        self, promotion_id: str, *, batch_id: str = "", after: str = ""
    ) -> AsyncGenerator[Sequence[codes.Code]]:
        """The codes of a promotion, sorted by code, some at a time. Raises PROMOTION_NOT_FOUND."""
        if promotion_id not in await store.promotions_of(self._db, [promotion_id]):
            raise administering.not_found(promotion_id)
        while found := await store.codes_after(
            self._db, promotion_id, batch_id=batch_id, after=after, most=EXPORTED_AT_ONCE
        ):
            yield found
            after = found[-1].code
