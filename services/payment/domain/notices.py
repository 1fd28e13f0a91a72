"""What the provider tells of by itself, and what a dispute is to the ledger. Pure.

What is told may come twice, late, and in any order. So what a payment's state asks for is never taken from a notice: the provider
is asked. Only what it would not be asked about is: a refund that fails after it succeeded, and disputes, whose end is final.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.chassis import money
from services.payment.domain import Account, Payment, Posting, shares


class DisputeState(StrEnum):
    """Where a dispute is: a customer's bank wants the money back."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Changed:
    """Something happened to a payment: the provider knows what."""


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """A refund failed, maybe after it had succeeded. call names the call that made it, `Payment.call`."""

    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute, by the provider's id of it. amount is in minor units of the payment's currency.

    shares are who bears it, once it is known whose payment it is about.
    """

    id: str
    state: DisputeState
    amount: int
    reason: str
    shares: Mapping[str, int] = field(default_factory=dict)


News = Changed | RefundFailed | Dispute


@dataclass(frozen=True, slots=True)
class Notice:
    """An event of the provider's: its id and type there, when it happened, and the payment that it is about.

    reference is the provider's id of the payment. order_id is empty when it does not say. news is None when it is of no concern.
    """

    provider: str
    id: str
    type: str
    time: datetime
    reference: str = ""
    order_id: str = ""
    news: News | None = None


# What of a dispute's amount stands where, by its state.
_BOOKED: Mapping[DisputeState | None, Mapping[Account, int]] = {
    None: {},
    DisputeState.OPEN: {Account.PROVIDER_RECEIVABLE: -1, Account.DISPUTED: 1},
    DisputeState.WON: {},
    DisputeState.LOST: {Account.PROVIDER_RECEIVABLE: -1, Account.DISPUTE_LOSSES: 1},
}


def follows(before: DisputeState | None, after: DisputeState) -> bool:
    """Whether a dispute moves from one state to the other. What ended stays as it ended, whatever comes late."""
    return before is None or (before is DisputeState.OPEN and after is not DisputeState.OPEN)


def borne(payment: Payment, amount: int) -> shares.Shares:
    """Who bears a dispute of so much: in proportion to what is left of the payment to each, or was theirs when nothing is."""
    rest = shares.left(payment.shares, payment.refunded_shares) or payment.shares
    return shares.divide(money.Money(payment.amount.currency, amount), rest)


def postings(before: DisputeState | None, after: DisputeState, part: shares.Part) -> list[Posting]:
    """What the ledger says of a dispute that moved: balanced, and empty when the provider kept nothing back."""
    steps = {account: _BOOKED[after].get(account, 0) - _BOOKED[before].get(account, 0) for account in Account}
    return [
        Posting(account, step * part.amount, shares.times(part.shares, step)) for account, step in steps.items() if step
    ]
