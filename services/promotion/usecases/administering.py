"""Promotions: made, read, changed and ended by those who run the shop.

A promotion and the claim of its request are one transaction. If the process dies before the commit nothing happened and the
caller repeats; if it dies after it, the repetition finds the promotion.
"""

from services.chassis import clock, database, errors, idempotency, ids, pages
from services.promotion import store
from services.promotion.domain import promotions
from services.promotion.domain.promotions import Promotion


class Administering:
    """The use cases of who runs the shop. shop_zone is the time zone of windows that name none."""

    def __init__(self, db: database.Database, *, shop_zone: str, now: clock.Clock) -> None:
        self._db = db
        self._shop_zone = shop_zone
        self._now = now

    async def create(self, draft: promotions.Draft) -> Promotion:
        """Make a promotion; a repeated request finds what its first made.

        Raises REQUEST_ID_REUSED, and what `promotions.new` does.
        """
        now = self._now()
        promotion = promotions.new(ids.new_id(now), draft.terms, shop_zone=self._shop_zone, now=now)
        claim = idempotency.Claim(draft.actor, draft.request_id, draft.fingerprint, promotion.id)
        async with self._db.transaction() as transaction:
            made = await idempotency.claim_one(transaction, claim)
            if made == promotion.id:
                await store.insert_promotion(transaction, promotion)
        return promotion if made == promotion.id else await self.get(made)

    async def get(self, promotion_id: str) -> Promotion:
        """A promotion. Raises PROMOTION_NOT_FOUND."""
        found = await store.promotions_of(self._db, [promotion_id])
        if promotion_id not in found:
            raise not_found(promotion_id)
        return found[promotion_id]

    async def list(self, page: pages.Page) -> pages.Slice[Promotion]:
        """Promotions, newest first."""
        return pages.cut(await store.promotion_page(self._db, page), page, lambda promotion: promotion.id)

    async def update(self, edit: promotions.Edit) -> Promotion:
        """Change the terms of a promotion; a repeated edit finds what its first made.

        Raises PROMOTION_NOT_FOUND, and what `promotions.revised` does.
        """
        async with self._db.transaction() as transaction:
            before = await _locked(transaction, edit.promotion_id)
            after = promotions.revised(before, edit, shop_zone=self._shop_zone, now=self._now())
            if after != before:
                await store.write_promotion(transaction, after)
        return after

    async def end(self, promotion_id: str) -> Promotion:
        """End a promotion now. Raises PROMOTION_NOT_FOUND."""
        async with self._db.transaction() as transaction:
            before = await _locked(transaction, promotion_id)
            after = promotions.ended(before, self._now())
            if after != before:
                await store.write_promotion(transaction, after)
        return after


async def _locked(transaction: database.Transaction, promotion_id: str) -> Promotion:
    found = await store.lock_promotions(transaction, [promotion_id])
    if promotion_id not in found:
        raise not_found(promotion_id)
    return found[promotion_id]


def not_found(promotion_id: str) -> errors.DomainError:
    """What is raised for a promotion that does not exist."""
    return errors.not_found("PROMOTION_NOT_FOUND", "the promotion does not exist", id=promotion_id)
