"""What promotions take off orders before they are placed. Nothing is claimed here: the saga redeems what was promised."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.chassis import errors
from services.order.domain import totals

# Orders that promotion is asked about in one call: as many as the contract allows.
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Question:
    """An order whose discounts are asked for. first_order: its customer has no order yet. A guest's has an empty user_id."""

    user_id: str
    codes: tuple[str, ...]
    order: totals.Shipped
    first_order: bool = False


class Promotions(Protocol):
    """Who knows promotions."""

    async def any_automatic(self) -> bool:
        """Whether a promotion that needs no code can apply. Raises TransientError when that is not known."""

    async def discounted(self, questions: Sequence[Question]) -> list[totals.Shipped | errors.DomainError]:
        """The orders with their discounts, and with what became of the codes; or why one of them has none.

        Raises TransientError, or a DomainError for all of them.
        """


class Customers(Protocol):
    """Who knows who has ordered before."""

    async def newcomers(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Those of these users who have no order but cancelled ones."""


@dataclass(frozen=True, slots=True)
class Discounting:
    """Promotions, asked about the orders that they may apply to."""

    promotions: Promotions
    customers: Customers

    async def discounted(self, questions: Sequence[Question]) -> list[totals.Shipped | errors.DomainError]:
        """Each of these orders with its discounts, or why there is no answer for it.

        An order without codes costs no call while no promotion is automatic. Raises TransientError for all of them.
        """
        automatic = bool(questions) and await self.promotions.any_automatic()
        asked = [question for question in questions if question.codes or automatic]
        if not asked:
            return [question.order for question in questions]
        new = await self._newcomers([question.user_id for question in asked])
        told = [replace(question, first_order=question.user_id in new) for question in asked]
        batches = [told[first : first + AT_ONCE] for first in range(0, len(told), AT_ONCE)]
        answers = itertools.chain.from_iterable(await asyncio.gather(*map(self._ask, batches)))
        return [next(answers) if question.codes or automatic else question.order for question in questions]

    async def _newcomers(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Those who have no order but cancelled ones. Of a guest that is believed until the guest orders."""
        known = [user_id for user_id in user_ids if user_id]
        return (await self.customers.newcomers(known) if known else frozenset()) | {""}

    async def _ask(self, batch: Sequence[Question]) -> list[totals.Shipped | errors.DomainError]:
        """A batch in one call. An order that promotion refuses to quote does not hold back the others of its batch."""
        try:
            return await self.promotions.discounted(batch)
        except errors.DomainError as error:
            if len(batch) == 1:
                return [error]
        except errors.TransientError:
            return [errors.unavailable()] * len(batch)
        # Promotion refuses the call as a whole, because of one of them: find out which.
        return [answer for question in batch for answer in await self._ask([question])]
