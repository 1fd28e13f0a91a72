"""The refunds of returns: what orders want given back for what came back, and when that can begin.

WAITING -> BEGUN (the provider is asked) -> SETTLED; BEGUN -> WAITING when the provider refuses: it is asked until it has done it.
A payment gives back one thing at a time, so a refund may wait for another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.chassis import money
from services.payment import domain
from services.payment.domain import moves

# Who wants the money back of a return, in the rows of refunds.
ACTOR = "service:order"
REASON = "return"
# Of a payment in these states nothing is left, and nothing ever will be.
NOTHING_LEFT = frozenset({domain.State.REFUNDED, domain.State.VOIDED, domain.State.DECLINED})


class State(StrEnum):
    """Where the refund of a return is. The words are those of SQL."""

    WAITING = "WAITING"
    BEGUN = "BEGUN"
    SETTLED = "SETTLED"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be given back for a return. Its id is the refund's, and so a part of the provider's idempotency key.

    shares are what the vendors of what came back bear of it.
    """

    return_id: str
    order_id: str
    amount: money.Money
    shares: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReturnRefundSettled:
    """The refund of a return is done: so much was given back, in minor units."""

    payment: domain.Payment
    return_id: str
    amount: int


def begin(payment: domain.Payment, wanted: Wanted, now: datetime) -> moves.Advance | ReturnRefundSettled | None:
    """What the refund makes of the payment now: never more than is left of it. None while it has to wait."""
    if payment.state in NOTHING_LEFT:
        return ReturnRefundSettled(payment, wanted.return_id, 0)
    if payment.state is not domain.State.CAPTURED:
        return None
    amount = money.Money(wanted.amount.currency, min(wanted.amount.amount, payment.left))
    begun = moves.give_back(payment, amount, wanted.return_id, now)
    return moves.charge(begun, wanted.shares) if wanted.shares else begun
