"""A process that does what people ask of payments and kills itself with SIGKILL at its commit, before it or behind it."""

import asyncio
import os

from services.chassis import clock, database
from services.chassis.money import Money
from services.payment import domain, events, usecases
from services.payment.domain import moves
from tests.integration.payment.till import PRICE
from tests.support import mortal

MODULE = "tests.integration.payment.mortal_office"
ADMIN = "0193aaaa-0000-7000-8000-000000000001"


def wish(order: str, request_id: str) -> usecases.Wish:
    """A wish for a part of an order's money that the test and this process ask for in the same words."""
    return usecases.Wish(order, Money(PRICE.currency, 1200), "damaged", ADMIN, request_id, b"same")


def choice(order: str, user: str, request_id: str) -> usecases.Choice:
    """A choice of a payment method, as above."""
    return usecases.Choice(order, user, "card_approved", request_id, b"same")


def dies(database_url: str, order: str, request_id: str, *, at: str, user: str = "") -> None:
    """See a process die that wants an order's money back or, with a user, that chooses how this user pays it."""
    mortal.dies(MODULE, database_url, at=at, ORDER=order, REQUEST_ID=request_id, PAYER=user)


class MortalPayments(usecases.Payments):
    """The service's own use cases, with a death behind their last write."""

    async def _move(self, transaction: database.Transaction, advance: moves.Advance) -> domain.Payment:
        payment = await super()._move(transaction, advance)
        if os.environ["DIE_AT"] == mortal.WRITTEN:
            mortal.die()
        transaction.after_commit(mortal.die)
        return payment


async def _do() -> None:
    order, request_id, user = os.environ["ORDER"], os.environ["REQUEST_ID"], os.environ["PAYER"]
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        payments = MortalPayments(db, now=clock.utc_now, wake=lambda: None)
        if user:
            await payments.choose(choice(order, user, request_id))
        else:
            await payments.refund(wish(order, request_id))


if __name__ == "__main__":
    asyncio.run(_do())
