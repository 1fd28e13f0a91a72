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
        [answer] = await self.quote_all([question])
        if isinstance(answer, errors.DomainError):
            raise answer
        return answer

    async def quote_all(self, asked: Sequence[questions.Question]) -> list[quotes.Quote | errors.DomainError]:
        """The same for many: what each costs, or why that cannot be said. Raises TransientError for all of them."""
        entered = [tuple(dict.fromkeys(codes.written(code) for code in question.codes)) for question in asked]
        candidates = await self._candidates(asked, entered)
        prices = await self._prices(asked)
        traits = await self._traits(asked, candidates)
        now = self._now()
        answers: list[quotes.Quote | errors.DomainError] = []
        for question, own, typed in zip(asked, candidates, entered, strict=True):
            try:
                answers.append(quotes.quote(_basket(question, prices, traits), own, now, typed))
            except errors.DomainError as error:
                answers.append(error)
        return answers

    async def any_automatic(self) -> bool:
        """Whether a promotion that needs no code can apply now."""
        return await store.any_automatic(self._db, self._now())

    async def _candidates(
        self, asked: Sequence[questions.Question], entered: Sequence[Sequence[str]]
    ) -> list[list[quotes.Candidate]]:
        """For each question the automatic promotions and those of its codes, with how often its customer used them."""
        found = await store.candidates(self._db, {code for own in entered for code in own}, self._now())
        limited = {one.promotion.id for one in found if one.promotion.terms.most_per_customer}
        customers = {question.user_id for question in asked if question.user_id}
        uses = await store.uses_of_customers(self._db, limited, customers) if limited and customers else {}
        return [
            [
                quotes.of_customer(one, uses.get((one.promotion.id, question.user_id), 0))
                for one in found
                if not one.code or one.code in own
            ]
            for question, own in zip(asked, entered, strict=True)
        ]

    async def _prices(self, asked: Sequence[questions.Question]) -> Mapping[str, money.Money]:
        """What the catalog says of items that have no price."""
        unpriced = {item.sku for question in asked for item in question.items if item.unit_price is None}
        return await self._shelves.prices(unpriced) if unpriced else {}

    async def _traits(
        self, asked: Sequence[questions.Question], candidates: Sequence[Sequence[quotes.Candidate]]
    ) -> Mapping[str, quotes.Traits]:
        """What scopes can ask of the items of those questions that a promotion with a scope may apply to."""
        skus = {
            item.sku
            for question, own in zip(asked, candidates, strict=True)
            if any(one.promotion.terms.scope != promotions.Scope() for one in own)
            for item in question.items
        }
        return await self._shelves.traits(skus) if skus else {}


def _basket(
    question: questions.Question, prices: Mapping[str, money.Money], traits: Mapping[str, quotes.Traits]
) -> quotes.Basket:
    """The basket that is asked about. Raises SKU_UNKNOWN and what `quotes.basket` raises."""
    items = []
    for item in question.items:
        price = item.unit_price or prices.get(item.sku)
        if price is None:
            raise errors.precondition("SKU_UNKNOWN", "the SKU is not for sale", sku=item.sku)
        items.append(quotes.Item(item.sku, item.quantity, price, traits.get(item.sku, quotes.Traits())))
    return quotes.basket(items, question.shipping, first_order=question.first_order)
