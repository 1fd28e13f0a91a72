"""What items cost with promotions. Nothing is written or claimed: limits are looked at, and decided when an order is placed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.chassis import clock, database, errors, money
from services.promotion import store
from services.promotion.domain import codes, promotions, questions, quotes


class Shelves(Protocol):
    """Where products are kept."""

    async def prices(self, skus: Iterable[str]) -> Mapping[str, money.Money]:
        """What one unit of each SKU costs; those that are not for sale are absent. Raises TransientError."""

    async def traits(self, skus: Iterable[str]) -> Mapping[str, quotes.Traits]:
        """What scopes can ask of these SKUs; unknown ones are absent. Raises TransientError."""


class Quoting:
    """Quotes."""

    def __init__(self, db: database.Database, shelves: Shelves, *, now: clock.Clock) -> None:
        self._db = db
        self._shelves = shelves
        self._now = now

    async def quote(self, question: questions.Question) -> quotes.Quote:
        """What the items cost, and why codes do not apply. Codes are told as they are kept.

        Raises SKU_UNKNOWN, SKU_DUPLICATE, CURRENCY_MIXED, AMOUNT_INVALID, MONEY_INVALID or TransientError.
        """
        entered = list(dict.fromkeys(codes.written(code) for code in question.codes))
        candidates = await self._candidates(entered, question.user_id)
        items = await self._priced(question.items)
        if any(candidate.promotion.terms.scope != promotions.Scope() for candidate in candidates):
            items = await self._described(items)
        basket = quotes.basket(items, question.shipping, first_order=question.first_order)
        return quotes.quote(basket, candidates, self._now(), entered)

    async def any_automatic(self) -> bool:
        """Whether a promotion that needs no code can apply now."""
        return await store.any_automatic(self._db, self._now())

    async def _candidates(self, entered: Sequence[str], user_id: str) -> list[quotes.Candidate]:
        found = await store.candidates(self._db, entered, self._now())
        limited = [one.promotion.id for one in found if one.promotion.terms.most_per_customer]
        if not user_id or not limited:
            return found
        uses = await store.uses_of_customer(self._db, limited, user_id)
        return [quotes.of_customer(one, uses.get(one.promotion.id, 0)) for one in found]

    async def _priced(self, wanted: Sequence[questions.Wanted]) -> list[quotes.Item]:
        unpriced = [item.sku for item in wanted if item.unit_price is None]
        prices = await self._shelves.prices(unpriced) if unpriced else {}
        items = []
        for item in wanted:
            price = item.unit_price or prices.get(item.sku)
            if price is None:
                raise errors.precondition("SKU_UNKNOWN", "the SKU is not for sale", sku=item.sku)
            items.append(quotes.Item(item.sku, item.quantity, price))
        return items

    async def _described(self, items: Sequence[quotes.Item]) -> list[quotes.Item]:
        traits = await self._shelves.traits(item.sku for item in items)
        return [quotes.described(item, traits.get(item.sku, quotes.Traits())) for item in items]
