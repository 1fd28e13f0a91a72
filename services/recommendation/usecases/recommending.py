"""What is recommended: candidates by what was counted, remembered for a moment, and of these what can be ordered now.

What goes together changes slowly, so it may be some seconds old. Whether a product can be ordered must not be: that is looked up
anew. Next stop: `domain.py`.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.chassis import cache, clock, database
from services.recommendation import domain, store
from services.recommendation.domain import Candidate, Reason
from services.recommendation.store import counts

# Candidates of each kind that are looked at, and partners of a product whose association is computed.
CANDIDATES = 60
PARTNERS = 1_000
# The last orders of a customer that are looked at, and the products of which it is asked what goes with them.
ORDERS_OF_A_CUSTOMER = 200
TASTES = 30
# Products that a process remembers what goes with: some kilobytes each.
REMEMBERED = 2_000
# Of how many periods heat is looked at: in the second one an order is worth less than a thousandth.
HOT_PERIODS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """How recommendations are made. What goes together may be together_s old, what trends trending_s; both in seconds.

    A category takes up to `share` of an answer; what a customer bought within bought_for is not recommended to them.
    """

    together_s: float
    trending_s: float
    share: float
    bought_for: timedelta


class Recommending:
    """The use cases of who asks."""

    def __init__(self, db: database.Database, terms: Terms, *, now: clock.Clock) -> None:
        self._db = db
        self._terms = terms
        self._now = now
        self._together = _remembering("together", terms.together_s)
        self._common = _remembering("common", terms.trending_s)

    async def trending(self, limit: int) -> Sequence[domain.Recommended]:
        """What trends, then what is featured and new. Raises TransientError."""
        return await self._shown(await self._fallbacks(), limit)

    async def related(self, product_id: str, limit: int) -> Sequence[domain.Recommended]:
        """What goes with a product, then what trends, in its category first. Raises TransientError."""
        known = await store.known(self._db, product_id)
        if known is None:
            return await self.trending(limit)
        number, category = known
        own = domain.related(number, (await self._neighbours([number]))[number])
        others = await self._fallbacks()
        cards = await store.cards(self._db, _products(own, others))
        return await self._arranged(
            [*own, *domain.in_category_first(others, cards, category)], cards, limit, without={number}
        )

    async def for_user(self, user_id: str, limit: int) -> Sequence[domain.Recommended]:
        """What somebody might like, by what they bought; nothing that they just bought. Raises TransientError."""
        now = self._now()
        purchases = await store.history(self._db, user_id, orders=ORDERS_OF_A_CUSTOMER)
        tastes = purchases[:TASTES]
        beside = await self._neighbours([purchase.product for purchase in tastes]) if tastes else {}
        liked = domain.liked(tastes, beside, now)[:CANDIDATES]
        just_bought = {each.product for each in purchases if now - each.time < self._terms.bought_for}
        return await self._shown([*liked, *await self._fallbacks()], limit, without=just_bought)

    async def _shown(
        self, candidates: Sequence[Candidate], limit: int, *, without: Collection[int] = ()
    ) -> Sequence[domain.Recommended]:
        cards = await store.cards(self._db, _products(candidates))
        return await self._arranged(candidates, cards, limit, without=without)

    async def _arranged(
        self,
        candidates: Iterable[Candidate],
        cards: Mapping[int, domain.Card],
        limit: int,
        *,
        without: Collection[int],
    ) -> Sequence[domain.Recommended]:
        most = domain.shown(limit)
        chosen = domain.arranged(candidates, cards, without=without, most=most, share=self._terms.share)
        causes = await store.ids(self._db, (each.because_of for each in chosen if each.because_of))
        return [
            domain.Recommended(cards[each.product], each.reason, causes.get(each.because_of, "")) for each in chosen
        ]

    async def _neighbours(self, products: Sequence[int]) -> Mapping[int, Sequence[domain.Neighbour]]:
        """What goes with each of these products, remembered for a while."""

        async def load(keys: Sequence[str]) -> Mapping[str, Sequence[domain.Neighbour]]:
            periods = domain.periods(self._now())
            orders = await counts.orders(self._db, periods)
            seen = await counts.together(self._db, [int(key) for key in keys], periods, most=PARTNERS)
            return {str(product): domain.neighbours(found, orders, most=CANDIDATES) for product, found in seen.items()}

        found = await self._together.read(map(str, products), load)
        return {int(key): each for key, each in found.items()}

    async def _fallbacks(self) -> Sequence[Candidate]:
        """What anybody may be shown: what trends, what is featured, what is new. Remembered for a moment."""

        async def load(keys: Sequence[str]) -> Mapping[str, Sequence[Candidate]]:
            periods = domain.periods(self._now())[:HOT_PERIODS]
            hot = domain.trending(await counts.hot(self._db, periods, most=CANDIDATES))[:CANDIDATES]
            trending = [Candidate(product, Reason.TRENDING) for product in hot]
            newest = await store.newest(self._db, most=CANDIDATES)
            others = [Candidate(product, Reason.FEATURED if featured else Reason.NEW) for product, featured in newest]
            return {key: [*trending, *others] for key in keys}

        found: Sequence[Candidate] = (await self._common.read(["anybody"], load))["anybody"]
        return found


def _products(*groups: Iterable[Candidate]) -> list[int]:
    return [each.product for group in groups for each in group]


def _remembering(name: str, seconds: float) -> cache.Cache[Any]:
    return cache.Cache(
        cache.Unshared(), cache.unpacked(f"recommendation:{name}", local_s=seconds, local_size=REMEMBERED)
    )
