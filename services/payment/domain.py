"""What a payment is and how it moves: one table, without any I/O.

Money is given back whatever happened before: every path from a held or taken amount leads to VOIDED or REFUNDED once its
order is cancelled. A payment is never both captured and voided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.chassis import money

# ISO 4217's code for "no currency": the amount of a payment that there never was.
NO_MONEY = money.Money("XXX", 0)


class State(StrEnum):
    """Where the money is. The words are those of SQL; the contract shows the last three as the state they grew from."""

    AUTHORIZING = "AUTHORIZING"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    CAPTURING = "CAPTURING"
    CAPTURED = "CAPTURED"
    VOIDING = "VOIDING"
    VOIDED = "VOIDED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    # The order was cancelled while the provider was being asked: what it grants is given back at once.
    AUTHORIZING_CANCELLED = "AUTHORIZING_CANCELLED"
    CAPTURING_CANCELLED = "CAPTURING_CANCELLED"
    # The provider holds the money but refused to hand it over: the order is told and will be cancelled.
    CAPTURE_REFUSED = "CAPTURE_REFUSED"


class Verb(StrEnum):
    """What the provider can be asked to do."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Input(StrEnum):
    """What can happen to a payment: its order says something, or the provider answers definitely."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    YES = "YES"
    NO = "NO"


class Account(StrEnum):
    """The ledger's accounts: what the provider owes us, and what orders brought in."""

    PROVIDER_RECEIVABLE = "provider_receivable"
    ORDER_REVENUE = "order_revenue"


@dataclass(frozen=True, slots=True)
class Payment:
    """The money of one order. captured and refunded are in minor units of the amount's currency; version counts changes.

    payment_method is empty when the order was cancelled before it asked for money: then there never was a payment.
    """

    id: str
    order_id: str
    user_id: str
    state: State
    amount: money.Money
    payment_method: str
    create_time: datetime
    update_time: datetime
    captured: int = 0
    refunded: int = 0
    provider_reference: str = ""
    failure_reason: str = ""
    version: int = 1

    @property
    def existed(self) -> bool:
        """Whether money was ever asked for."""
        return bool(self.payment_method)

    @property
    def verb(self) -> Verb | None:
        """What the provider is being asked to do now, if anything."""
        return VERBS.get(self.state)


@dataclass(frozen=True, slots=True)
class Request:
    """An order's wish for money."""

    order_id: str
    user_id: str
    amount: money.Money
    payment_method: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """An order that will not happen, and whose it was."""

    order_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A definite answer of the provider: its own id of the payment with a yes, a reason code with a no."""

    input: Input
    reference: str = ""
    reason: str = ""


class Silence(StrEnum):
    """No definite answer: it is not known whether the provider did what it was asked, or it was not asked at all."""

    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of the ledger, in minor units: money into an account, or (negative) out of it."""

    account: Account
    amount: int


@dataclass(frozen=True, slots=True)
class PaymentAuthorized:
    """The provider holds the money."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    """The provider said no: nothing is held."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentCaptured:
    """The held money was taken."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentCaptureRefused:
    """The held money is not handed over: nothing was taken."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    """Nothing is held or taken."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    """Taken money was given back."""

    payment: Payment


Fact = PaymentAuthorized | PaymentDeclined | PaymentCaptured | PaymentCaptureRefused | PaymentVoided | PaymentRefunded

VERBS: Mapping[State, Verb] = {
    State.AUTHORIZING: Verb.AUTHORIZE,
    State.AUTHORIZING_CANCELLED: Verb.AUTHORIZE,
    State.CAPTURING: Verb.CAPTURE,
    State.CAPTURING_CANCELLED: Verb.CAPTURE,
    State.VOIDING: Verb.VOID,
    State.REFUNDING: Verb.REFUND,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows: the next state, and what is told."""

    becomes: State
    tells: type[Fact] | None = None


# What no rule names changes nothing. A repeated word of the order gets the answer again, unless it is still to come. A void
# or a refund that the provider refuses has no rule either: it is asked for until it is done, and a person is called.
TABLE: Mapping[tuple[State, Input], Rule] = {
    (State.AUTHORIZING, Input.YES): Rule(State.AUTHORIZED, PaymentAuthorized),
    (State.AUTHORIZING, Input.NO): Rule(State.DECLINED, PaymentDeclined),
    (State.AUTHORIZING, Input.CANCELLED): Rule(State.AUTHORIZING_CANCELLED),
    (State.AUTHORIZING_CANCELLED, Input.YES): Rule(State.VOIDING),
    (State.AUTHORIZING_CANCELLED, Input.NO): Rule(State.DECLINED, PaymentVoided),
    (State.DECLINED, Input.CANCELLED): Rule(State.DECLINED, PaymentVoided),
    (State.AUTHORIZED, Input.CONFIRMED): Rule(State.CAPTURING),
    (State.AUTHORIZED, Input.CANCELLED): Rule(State.VOIDING),
    (State.CAPTURING, Input.YES): Rule(State.CAPTURED, PaymentCaptured),
    (State.CAPTURING, Input.NO): Rule(State.CAPTURE_REFUSED, PaymentCaptureRefused),
    (State.CAPTURING, Input.CANCELLED): Rule(State.CAPTURING_CANCELLED),
    (State.CAPTURING_CANCELLED, Input.YES): Rule(State.REFUNDING, PaymentCaptured),
    (State.CAPTURING_CANCELLED, Input.NO): Rule(State.VOIDING),
    (State.CAPTURE_REFUSED, Input.CONFIRMED): Rule(State.CAPTURE_REFUSED, PaymentCaptureRefused),
    (State.CAPTURE_REFUSED, Input.CANCELLED): Rule(State.VOIDING),
    (State.CAPTURED, Input.CONFIRMED): Rule(State.CAPTURED, PaymentCaptured),
    (State.CAPTURED, Input.CANCELLED): Rule(State.REFUNDING),
    (State.VOIDING, Input.YES): Rule(State.VOIDED, PaymentVoided),
    (State.VOIDED, Input.CANCELLED): Rule(State.VOIDED, PaymentVoided),
    (State.REFUNDING, Input.YES): Rule(State.REFUNDED, PaymentRefunded),
    (State.REFUNDED, Input.CANCELLED): Rule(State.REFUNDED, PaymentRefunded),
}


@dataclass(frozen=True, slots=True)
class Advance:
    """What an input made of a payment: what it was, what it is now, and what is told."""

    before: Payment
    payment: Payment
    facts: tuple[Fact, ...]

    @property
    def moved(self) -> bool:
        """Whether the payment changed: a repeated answer changes nothing."""
        return self.payment.state is not self.before.state

    @property
    def postings(self) -> tuple[Posting, ...]:
        """What the ledger has to say of it: balanced, and empty when no money moved."""
        taken = (self.payment.captured - self.before.captured) - (self.payment.refunded - self.before.refunded)
        if not taken:
            return ()
        return (Posting(Account.PROVIDER_RECEIVABLE, taken), Posting(Account.ORDER_REVENUE, -taken))


def begin(request: Request, payment_id: str, now: datetime) -> Payment:
    """A new payment: the provider is to be asked for the money."""
    return Payment(
        id=payment_id,
        order_id=request.order_id,
        user_id=request.user_id,
        state=State.AUTHORIZING,
        amount=request.amount,
        payment_method=request.payment_method,
        create_time=now,
        update_time=now,
    )


def never(cancellation: Cancellation, payment_id: str, now: datetime) -> Payment:
    """What is kept of an order that was cancelled before it asked for money, so that a late wish does nothing."""
    return Payment(
        id=payment_id,
        order_id=cancellation.order_id,
        user_id=cancellation.user_id,
        state=State.VOIDED,
        amount=NO_MONEY,
        payment_method="",
        create_time=now,
        update_time=now,
    )


def advance(payment: Payment, answer: Answer, now: datetime) -> Advance | None:
    """What an input makes of a payment; None when it changes nothing and nobody waits for a repeated answer."""
    rule = TABLE.get((payment.state, answer.input))
    if rule is None:
        return None
    after = payment
    if rule.becomes is not payment.state:
        after = replace(
            _moved_money(payment, answer),
            state=rule.becomes,
            provider_reference=answer.reference or payment.provider_reference,
            failure_reason=answer.reason or payment.failure_reason,
            update_time=now,
            version=payment.version + 1,
        )
    return Advance(payment, after, (rule.tells(after),) if rule.tells else ())


def _moved_money(payment: Payment, answer: Answer) -> Payment:
    if answer.input is not Input.YES:
        return payment
    match payment.verb:
        case Verb.CAPTURE:
            return replace(payment, captured=payment.amount.amount)
        case Verb.REFUND:
            return replace(payment, refunded=payment.captured)
        case _:
            return payment
