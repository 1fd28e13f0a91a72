"""What promotions take off orders before they are placed. Nothing is claimed here: the saga redeems what was promised."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.chassis import errors
from services.order.domain import totals

# Quotes that promotion is asked for at once, for the orders of one batch.
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

    async def discounted(self, question: Question) -> totals.Shipped:
        """The order with its discounts, and with what became of the codes. Raises TransientError or a DomainError."""


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
        gate = asyncio.Semaphore(AT_ONCE)
        answers = iter(
            await asyncio.gather(
                *(self._ask(gate, replace(question, first_order=question.user_id in new)) for question in asked)
            )
        )
        return [next(answers) if question.codes or automatic else question.order for question in questions]

    async def _newcomers(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Those who have no order but cancelled ones. Of a guest that is believed until the guest orders."""
        known = [user_id for user_id in user_ids if user_id]
        return (await self.customers.newcomers(known) if known else frozenset()) | {""}

    async def _ask(self, gate: asyncio.Semaphore, question: Question) -> totals.Shipped | errors.DomainError:
        """An order whose promotions cannot be asked for does not hold back the others of its batch."""
        async with gate:
            try:
                return await self.promotions.discounted(question)
            except errors.DomainError as error:
                return error
            except errors.TransientError:
                return errors.unavailable()
