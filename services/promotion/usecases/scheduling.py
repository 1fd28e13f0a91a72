"""Promotional prices: scheduled, read and ended by those who run the shop.

The price, the claim of its request and the event that tells of it are one transaction. If the process dies before the commit
nothing happened and the caller repeats; if it dies after it, the repetition finds the price and the relay of whoever starts
next publishes the event. The catalog is asked before the transaction begins.
"""

from collections.abc import Mapping
from typing import Protocol

from services.chassis import clock, database, errors, idempotency, ids, money, pages
from services.promotion import store
from services.promotion.domain import prices
from services.promotion.domain.prices import PromotionalPrice


class Assortment(Protocol):
    """What the shop sells."""

    async def product_of(self, sku: str) -> str:
        """The id of the product that has this SKU. Raises SKU_UNKNOWN or TransientError."""

    async def regular_prices(self, product_id: str) -> Mapping[str, money.Money]:
        """What each SKU of a product costs without promotions. Raises PRODUCT_NOT_FOUND or TransientError."""


class Scheduling:
    """The use cases of promotional prices. shop_zone is the time zone of windows that name none."""

    def __init__(self, db: database.Database, assortment: Assortment, *, shop_zone: str, now: clock.Clock) -> None:
        self._db = db
        self._assortment = assortment
        self._shop_zone = shop_zone
        self._now = now

    async def create(self, draft: prices.Draft) -> PromotionalPrice:
        """Schedule a promotional price; a repeated request finds what its first made.

        Raises SKU_UNKNOWN, PRODUCT_NOT_FOUND, REQUEST_ID_REUSED, and what `prices.new` and `prices.check_reduces` do.
        """
        now = self._now()
        price = prices.new(ids.new_id(now), await self._placed(draft), shop_zone=self._shop_zone, now=now)
        prices.check_reduces(price, await self._assortment.regular_prices(price.product_id))
        claim = idempotency.Claim(draft.actor, draft.request_id, draft.fingerprint, price.id)
        async with self._db.transaction() as transaction:
            made = await idempotency.claim_one(transaction, claim)
            if made == price.id:
                await store.insert_price(transaction, price)
                transaction.emit([prices.PromotionalPriceScheduled(price)])
        return price if made == price.id else await self.get(made)

    async def _placed(self, draft: prices.Draft) -> prices.Draft:
        if draft.product_id:
            return draft
        return prices.of_product(draft, await self._assortment.product_of(draft.sku))

    async def get(self, price_id: str) -> PromotionalPrice:
        """A promotional price. Raises PROMOTIONAL_PRICE_NOT_FOUND."""
        found = await store.price(self._db, price_id)
        if found is None:
            raise _not_found(price_id)
        return found

    async def list(self, product_id: str, page: pages.Page) -> pages.Slice[PromotionalPrice]:
        """Promotional prices of a product (empty: of all), newest first."""
        return pages.cut(await store.price_page(self._db, product_id, page), page, lambda price: price.id)

    async def end(self, price_id: str) -> PromotionalPrice:
        """End a promotional price now. Raises PROMOTIONAL_PRICE_NOT_FOUND."""
        async with self._db.transaction() as transaction:
            before = await store.lock_price(transaction, price_id)
            if before is None:
                raise _not_found(price_id)
            after = prices.withdrawn(before, self._now())
            if after != before:
                await store.end_price(transaction, after)
                transaction.emit([prices.PromotionalPriceWithdrawn(after)])
        return after


def _not_found(price_id: str) -> errors.DomainError:
    return errors.not_found("PROMOTIONAL_PRICE_NOT_FOUND", "the promotional price does not exist", id=price_id)
