"""What a payment is, what can happen to it and what is told of it, without any I/O. Next stop: `moves.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.chassis import money

# ISO 4217's code for "no currency": the amount of a payment that there never was.
NO_MONEY = money.Money("XXX", 0)


class State(StrEnum):
    """Where the money is. The words are those of SQL; the contract shows some of them as others (`rpc.py`)."""

    # The order has not said yet how it is paid.
    AWAITING_METHOD = "AWAITING_METHOD"
    AUTHORIZING = "AUTHORIZING"
    # The customer has to confirm it with their bank: the provider is asked whether that happened.
    ACTION_REQUIRED = "ACTION_REQUIRED"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    CAPTURING = "CAPTURING"
    CAPTURED = "CAPTURED"
    VOIDING = "VOIDING"
    VOIDED = "VOIDED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    # The order was cancelled while the provider was being asked: what it authorizes is voided at once.
    AUTHORIZING_CANCELLED = "AUTHORIZING_CANCELLED"
    # The order was confirmed while our row says AUTHORIZING: a restored backup predates the provider's authorization.
    AUTHORIZING_CONFIRMED = "AUTHORIZING_CONFIRMED"
    CAPTURING_CANCELLED = "CAPTURING_CANCELLED"
    # The provider refused to capture what it had authorized: the order is told and will be cancelled.
    CAPTURE_REFUSED = "CAPTURE_REFUSED"
    # An administrator asked for a refund of a part, or of all that is left: the provider may refuse.
    REFUNDING_PART = "REFUNDING_PART"
    REFUNDING_REST = "REFUNDING_REST"
    # The order was cancelled meanwhile: the rest follows.
    REFUNDING_PART_CANCELLED = "REFUNDING_PART_CANCELLED"


class Verb(StrEnum):
    """What the provider can be asked to do."""

    AUTHORIZE = "authorize"
    # Nothing is done by it: it is asked whether the customer has confirmed.
    CONFIRM = "confirm"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Input(StrEnum):
    """What can happen to a payment: its order or a person says something, or the provider answers definitely."""

    METHOD_CHOSEN = "METHOD_CHOSEN"
    PART_WANTED_BACK = "PART_WANTED_BACK"
    REST_WANTED_BACK = "REST_WANTED_BACK"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    YES = "YES"
    NO = "NO"
    # The provider wants the customer to confirm before it holds anything.
    ACTION_REQUIRED = "ACTION_REQUIRED"
    # What was to be voided is already captured: it can only be refunded.
    TAKEN = "TAKEN"


class Account(StrEnum):
    """The ledger's accounts: what the provider owes us, what orders brought in, and what customers' banks dispute."""

    PROVIDER_RECEIVABLE = "provider_receivable"
    ORDER_REVENUE = "order_revenue"
    # What the provider keeps back while a dispute is open, and what was lost by disputes.
    DISPUTED = "disputed"
    DISPUTE_LOSSES = "dispute_losses"


class Cause(StrEnum):
    """Why the ledger was written to."""

    CAPTURED = "CAPTURED"
    REFUNDED = "REFUNDED"
    # What had been refunded is the shop's again.
    REFUND_FAILED = "REFUND_FAILED"
    DISPUTED = "DISPUTED"
    # A dispute moved on after it was known.
    DISPUTE_MOVED = "DISPUTE_MOVED"


@dataclass(frozen=True, slots=True)
class Action:
    """What the customer's browser needs to confirm a payment: where to go, or what the provider's script is called with.

    It is for the customer alone, so it is kept out of every text that is made of it.
    """

    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


NO_ACTION = Action()


@dataclass(frozen=True, slots=True)
class Payment:
    """The money of one order. captured, refunded and refunding are in minor units of the amount's currency.

    refunding is the amount of the refund in progress, whose id is refund_id (empty: the order was cancelled).
    payment_method is empty until one is chosen. version counts changes. action is there while the customer has to confirm.
    shares are whose the amount is, refunded_shares and refunding_shares who bears what is given back (`shares.py`).
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
    refunding: int = 0
    refund_id: str = ""
    provider_reference: str = ""
    failure_reason: str = ""
    version: int = 1
    action: Action = NO_ACTION
    shares: Mapping[str, int] = field(default_factory=dict)
    refunded_shares: Mapping[str, int] = field(default_factory=dict)
    refunding_shares: Mapping[str, int] = field(default_factory=dict)

    @property
    def existed(self) -> bool:
        """Whether money was ever asked for: not when the order was cancelled before."""
        return self.amount != NO_MONEY

    @property
    def verb(self) -> Verb | None:
        """What the provider is being asked to do now, if anything."""
        return VERBS.get(self.state)

    @property
    def call(self) -> str:
        """What names the call that is being made to the provider among all calls for this payment: its verb, and which."""
        return f"{self.verb}:{self.refund_id}" if self.refund_id else f"{self.verb}"

    @property
    def giving_back(self) -> int:
        """The amount of the refund in progress, in minor units."""
        return self.refunding or self.left

    @property
    def left(self) -> int:
        """How much was captured and not refunded, in minor units."""
        return self.captured - self.refunded


@dataclass(frozen=True, slots=True)
class Request:
    """An order's request for money, made at request_time if known. payment_method is empty until one is chosen.

    shares are whose the amount is: none when all of it is the shop's own.
    """

    order_id: str
    user_id: str
    amount: money.Money
    payment_method: str
    request_time: datetime | None = None
    shares: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An order that will happen: its money is taken."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """An order that will not happen, and whose it was."""

    order_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What happened, and what belongs to it: the provider's own id of the payment with a yes, a reason code with a no."""

    input: Input
    reference: str = ""
    reason: str = ""
    payment_method: str = ""
    refund_id: str = ""
    amount: int = 0
    action: Action = NO_ACTION


class Silence(StrEnum):
    """No definite answer: it is not known whether the provider did what it was asked, or it was not asked."""

    UNKNOWN = "unknown"
    # The customer has not confirmed yet.
    WAITING = "waiting"
    NOT_ASKED = "not_asked"
    # The provider did not do it, as far as it tells, and would not know a repeated request for one: a person has to act.
    TOO_OLD = "too_old"


Outcome = Answer | Silence


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of the ledger, in minor units: money into an account, or (negative) out of it. shares are whose it is."""

    account: Account
    amount: int
    shares: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that others are told about a payment. step: minor units that were refunded by it, 0 when it is repeated."""

    payment: Payment
    step: int = 0


class PaymentActionRequired(Fact):
    """The customer has to confirm before anything is held."""


class PaymentAuthorized(Fact):
    """The provider holds the money."""


class PaymentDeclined(Fact):
    """The provider said no: nothing is held."""


class PaymentCaptured(Fact):
    """The held money was taken."""


class PaymentCaptureRefused(Fact):
    """The held money is not handed over: nothing was taken."""


class PaymentVoided(Fact):
    """Nothing is held or taken."""


class PaymentPartlyRefunded(Fact):
    """A part of the captured money was refunded; the rest was not."""


class PaymentRefunded(Fact):
    """All captured money was refunded."""


VERBS: Mapping[State, Verb] = {
    State.AUTHORIZING: Verb.AUTHORIZE,
    State.ACTION_REQUIRED: Verb.CONFIRM,
    State.AUTHORIZING_CANCELLED: Verb.AUTHORIZE,
    State.AUTHORIZING_CONFIRMED: Verb.AUTHORIZE,
    State.CAPTURING: Verb.CAPTURE,
    State.CAPTURING_CANCELLED: Verb.CAPTURE,
    State.VOIDING: Verb.VOID,
    State.REFUNDING: Verb.REFUND,
    State.REFUNDING_PART: Verb.REFUND,
    State.REFUNDING_REST: Verb.REFUND,
    State.REFUNDING_PART_CANCELLED: Verb.REFUND,
}
