"""What a provider's interface is asked, and what comes of it: a domain value, or no answer."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from services.chassis import ids
from services.payment import domain
from services.payment.domain import reconciling


class NoAnswerError(Exception):
    """The provider did not answer, or not so that it binds it: whether it did what it was asked is unknown."""


class Api(Protocol):
    """What a provider's interface is put to."""

    async def ask(self, payment: domain.Payment) -> domain.Outcome | None:
        """The definite answer, if what the payment's state asks for happened already. Raises NoAnswerError."""

    async def find(self, payment: domain.Payment) -> domain.Outcome | None:
        """The same without the key, which may be forgotten: from what the provider has. Raises NoAnswerError."""

    async def confirmed(self, payment: domain.Payment) -> domain.Outcome:
        """What became of a payment that its customer has to confirm: WAITING until that happens. Raises NoAnswerError."""

    def statement(self, since: datetime) -> AsyncIterator[list[reconciling.Charge]]:
        """All charges that were made since then, a page at a time. Raises NoAnswerError."""

    async def do(self, payment: domain.Payment) -> domain.Outcome:
        """Do what the payment's state asks for. Raises NoAnswerError."""


def key_of(payment: domain.Payment) -> str:
    """The idempotency key: the same for every attempt at this verb of this payment, whichever process makes it."""
    return f"{payment.id}:{payment.call}"


def order_of(value: object) -> str:
    """The order that a charge names; empty when what it names is no order's id."""
    try:
        return ids.canonical(str(value or ""))
    except ValueError:
        return ""
