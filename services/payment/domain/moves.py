"""How a payment moves: one table, without any I/O.

Every path from a held or captured amount leads to VOIDED or REFUNDED once its order is cancelled. No payment is ever both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.chassis import errors, money
from services.payment.domain import (
    NO_ACTION,
    NO_MONEY,
    Account,
    Answer,
    Cancellation,
    Cause,
    Fact,
    Input,
    Payment,
    PaymentActionRequired,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCaptureRefused,
    PaymentDeclined,
    PaymentPartlyRefunded,
    PaymentRefunded,
    PaymentVoided,
    Posting,
    Request,
    State,
    Verb,
    shares,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows: the next state, and what is told."""

    becomes: State
    tells: type[Fact] | None = None


# An input without a rule changes nothing. A repeated event of the order gets the answer again. A void or a refund for a
# cancelled order that the provider refuses has no rule either: it is retried until it is done, and an operator is alerted.
TABLE: Mapping[tuple[State, Input], Rule] = {
    (State.AWAITING_METHOD, Input.METHOD_CHOSEN): Rule(State.AUTHORIZING),
    (State.AWAITING_METHOD, Input.CONFIRMED): Rule(State.AUTHORIZING_CONFIRMED),
    (State.AWAITING_METHOD, Input.CANCELLED): Rule(State.VOIDED, PaymentVoided),
    (State.AUTHORIZING, Input.YES): Rule(State.AUTHORIZED, PaymentAuthorized),
    (State.AUTHORIZING, Input.NO): Rule(State.DECLINED, PaymentDeclined),
    (State.AUTHORIZING, Input.ACTION_REQUIRED): Rule(State.ACTION_REQUIRED, PaymentActionRequired),
    (State.AUTHORIZING, Input.CONFIRMED): Rule(State.AUTHORIZING_CONFIRMED),
    (State.AUTHORIZING, Input.CANCELLED): Rule(State.AUTHORIZING_CANCELLED),
    (State.ACTION_REQUIRED, Input.YES): Rule(State.AUTHORIZED, PaymentAuthorized),
    (State.ACTION_REQUIRED, Input.NO): Rule(State.DECLINED, PaymentDeclined),
    (State.ACTION_REQUIRED, Input.CONFIRMED): Rule(State.AUTHORIZING_CONFIRMED),
    (State.ACTION_REQUIRED, Input.CANCELLED): Rule(State.VOIDING),
    # The order was confirmed once, and the provider has forgotten it: nobody is there to confirm, so nothing can be taken.
    (State.AUTHORIZING_CONFIRMED, Input.ACTION_REQUIRED): Rule(State.CAPTURE_REFUSED, PaymentCaptureRefused),
    (State.AUTHORIZING_CONFIRMED, Input.YES): Rule(State.CAPTURING, PaymentAuthorized),
    (State.AUTHORIZING_CONFIRMED, Input.NO): Rule(State.DECLINED, PaymentCaptureRefused),
    (State.AUTHORIZING_CONFIRMED, Input.CANCELLED): Rule(State.AUTHORIZING_CANCELLED),
    (State.AUTHORIZING_CANCELLED, Input.YES): Rule(State.VOIDING),
    (State.AUTHORIZING_CANCELLED, Input.ACTION_REQUIRED): Rule(State.VOIDING),
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
    (State.CAPTURED, Input.PART_WANTED_BACK): Rule(State.REFUNDING_PART),
    (State.CAPTURED, Input.REST_WANTED_BACK): Rule(State.REFUNDING_REST),
    (State.REFUNDING_PART, Input.YES): Rule(State.CAPTURED, PaymentPartlyRefunded),
    (State.REFUNDING_PART, Input.NO): Rule(State.CAPTURED),
    (State.REFUNDING_PART, Input.CANCELLED): Rule(State.REFUNDING_PART_CANCELLED),
    (State.REFUNDING_PART_CANCELLED, Input.YES): Rule(State.REFUNDING, PaymentPartlyRefunded),
    (State.REFUNDING_PART_CANCELLED, Input.NO): Rule(State.REFUNDING),
    (State.REFUNDING_REST, Input.YES): Rule(State.REFUNDED, PaymentRefunded),
    (State.REFUNDING_REST, Input.NO): Rule(State.CAPTURED),
    (State.REFUNDING_REST, Input.CANCELLED): Rule(State.REFUNDING),
    (State.VOIDING, Input.YES): Rule(State.VOIDED, PaymentVoided),
    (State.VOIDING, Input.TAKEN): Rule(State.REFUNDING, PaymentCaptured),
    (State.VOIDED, Input.CANCELLED): Rule(State.VOIDED, PaymentVoided),
    (State.REFUNDING, Input.YES): Rule(State.REFUNDED, PaymentRefunded),
    (State.REFUNDED, Input.CONFIRMED): Rule(State.REFUNDED, PaymentCaptured),
    (State.REFUNDED, Input.CANCELLED): Rule(State.REFUNDED, PaymentRefunded),
}


@dataclass(frozen=True, slots=True)
class Advance:
    """What an input made of a payment: what it was, what it is now, and what is told.

    booked is what the ledger says of it when nothing was taken or given back.
    """

    before: Payment
    payment: Payment
    facts: tuple[Fact, ...] = ()
    booked: tuple[Posting, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether the payment changed: a repeated answer changes nothing."""
        return self.payment.version != self.before.version

    @property
    def given(self) -> int:
        """How much was given back by it, in minor units."""
        return max(0, self.payment.refunded - self.before.refunded)

    @property
    def postings(self) -> tuple[Posting, ...]:
        """What the ledger has to say of it: balanced, and empty when no money moved."""
        taken = (self.payment.captured - self.before.captured) - (self.payment.refunded - self.before.refunded)
        if not taken:
            return self.booked
        whose = shares.plus(_kept(self.payment), shares.times(_kept(self.before), -1))
        return (
            Posting(Account.PROVIDER_RECEIVABLE, taken, whose),
            Posting(Account.ORDER_REVENUE, -taken, shares.times(whose, -1)),
        )

    @property
    def cause(self) -> Cause:
        """Why the ledger has something to say of it."""
        if self.booked:
            kept_back = any(line.account is Account.PROVIDER_RECEIVABLE and line.amount < 0 for line in self.booked)
            return Cause.DISPUTED if kept_back else Cause.DISPUTE_MOVED
        if self.payment.captured != self.before.captured:
            return Cause.CAPTURED
        return Cause.REFUNDED if self.given else Cause.REFUND_FAILED

    @property
    def given_shares(self) -> shares.Shares:
        """Who bears what was given back by it."""
        return shares.plus(self.payment.refunded_shares, shares.times(self.before.refunded_shares, -1))


def begin(request: Request, payment_id: str, now: datetime) -> Payment:
    """A new payment: the provider is to be asked for the money, or the customer for a payment method."""
    return Payment(
        id=payment_id,
        order_id=request.order_id,
        user_id=request.user_id,
        state=State.AUTHORIZING if request.payment_method else State.AWAITING_METHOD,
        amount=request.amount,
        payment_method=request.payment_method,
        create_time=request.request_time or now,
        update_time=now,
        shares=request.shares,
    )


def never(cancellation: Cancellation, payment_id: str, now: datetime) -> Payment:
    """What is kept of an order that was cancelled before it asked for money, so that a late wish does nothing."""
    nothing = Request(cancellation.order_id, cancellation.user_id, NO_MONEY, "")
    return replace(begin(nothing, payment_id, now), state=State.VOIDED)


def choose(payment: Payment, payment_method: str, now: datetime) -> Advance:
    """What a customer's choice of a payment method makes of a payment. Raises PAYMENT_METHOD_NOT_AWAITED."""
    chosen = advance(payment, Answer(Input.METHOD_CHOSEN, payment_method=payment_method), now)
    if chosen is None:
        said = "the payment is not waiting for a payment method"
        raise errors.precondition("PAYMENT_METHOD_NOT_AWAITED", said, payment_id=payment.id)
    return chosen


def give_back(payment: Payment, wanted: money.Money | None, refund_id: str, now: datetime) -> Advance:
    """What a wish for so much money back, or all that is left, makes of a payment.

    Raises REFUND_NOT_POSSIBLE, REFUND_AMOUNT_WRONG or CURRENCY_MIXED.
    """
    amount = payment.left if wanted is None else wanted.amount
    wish = Input.REST_WANTED_BACK if amount == payment.left else Input.PART_WANTED_BACK
    begun = advance(payment, Answer(wish, refund_id=refund_id, amount=amount), now)
    if begun is None:
        said = "the payment cannot be refunded now: it is not captured, or another refund is in progress"
        raise errors.precondition("REFUND_NOT_POSSIBLE", said, payment_id=payment.id)
    if wanted and wanted.currency != payment.amount.currency:
        wrong = errors.Violation(
            "amount.currency_code", f"must be {payment.amount.currency}, the currency of the payment"
        )
        raise errors.invalid("CURRENCY_MIXED", "the refund must be in the currency of the payment", wrong)
    if not 0 < amount <= payment.left:
        said = "the refund must be more than zero and at most what is left to refund"
        raise errors.precondition("REFUND_AMOUNT_WRONG", said, payment_id=payment.id, left=str(payment.left))
    return begun


def charge(begun: Advance, named: shares.Shares) -> Advance:
    """A refund that just began, borne by these first."""
    payment = begun.payment
    whole = money.Money(payment.amount.currency, payment.refunding)
    return replace(begun, payment=replace(payment, refunding_shares=shares.take(_rest(payment), whole, named)))


def take_back(payment: Payment, part: shares.Part, reason: str, now: datetime) -> Advance | None:
    """What a refund of so much makes of a payment that succeeded once and failed later: the money is ours again.

    Whoever gave it back has to do it another way, so the payment is CAPTURED and a person is called. None while another refund
    of all that is left is under way: what is left would change beneath it.
    """
    if payment.verb is Verb.REFUND and payment.state is not State.REFUNDING_PART:
        return None
    state = State.CAPTURED if payment.state is State.REFUNDED else payment.state
    whole = money.Money(payment.amount.currency, part.amount)
    borne = part.shares or shares.divide(whole, payment.refunded_shares)
    after = replace(
        _touched(payment, now),
        state=state,
        refunded=payment.refunded - part.amount,
        refunded_shares=shares.left(payment.refunded_shares, borne),
        failure_reason=reason,
    )
    return Advance(payment, after)


def book(payment: Payment, postings: Sequence[Posting], now: datetime) -> Advance:
    """A payment of which the ledger has something to say, though nothing was taken or given back."""
    return Advance(payment, _touched(payment, now), booked=tuple(postings))


def advance(payment: Payment, answer: Answer, now: datetime) -> Advance | None:
    """What an input makes of a payment; None when it changes nothing and nobody waits for a repeated answer."""
    rule = TABLE.get((payment.state, answer.input))
    if rule is None:
        return None
    after = payment
    if rule.becomes is not payment.state:
        moved = replace(
            _moved_money(payment, answer),
            state=rule.becomes,
            payment_method=answer.payment_method or payment.payment_method,
            provider_reference=answer.reference or payment.provider_reference,
            failure_reason=answer.reason or payment.failure_reason,
            action=answer.action if rule.becomes is State.ACTION_REQUIRED else NO_ACTION,
            update_time=now,
            version=payment.version + 1,
        )
        after = _with_refund(moved, answer)
    told = (rule.tells(after, after.refunded - payment.refunded),) if rule.tells else ()
    return Advance(payment, after, told)


def _touched(payment: Payment, now: datetime) -> Payment:
    return replace(payment, update_time=now, version=payment.version + 1)


def _moved_money(payment: Payment, answer: Answer) -> Payment:
    match answer.input, payment.verb:
        case (Input.YES, Verb.CAPTURE) | (Input.TAKEN, _):
            return replace(payment, captured=payment.amount.amount)
        case Input.YES, Verb.REFUND:
            whole = money.Money(payment.amount.currency, payment.giving_back)
            borne = payment.refunding_shares or shares.take(_rest(payment), whole, {})
            refunded_shares = shares.plus(payment.refunded_shares, borne)
            return replace(payment, refunded=payment.refunded + whole.amount, refunded_shares=refunded_shares)
        case _:
            return payment


def _with_refund(payment: Payment, answer: Answer) -> Payment:
    """The payment with what it gives back now: what was asked for, all that is left of a cancelled order, or nothing."""
    if answer.refund_id:
        return replace(payment, refunding=answer.amount, refund_id=answer.refund_id, refunding_shares={})
    if payment.verb is not Verb.REFUND:
        return replace(payment, refunding=0, refund_id="", refunding_shares={})
    if answer.input is Input.CANCELLED and payment.refunding:
        # A refund that is under way stays the one it is.
        return payment
    return replace(payment, refunding=payment.left, refund_id="", refunding_shares={})


def _kept(payment: Payment) -> shares.Shares:
    """Whose is what was captured and not refunded."""
    if not payment.captured:
        return {}
    return shares.plus(payment.shares, shares.times(payment.refunded_shares, -1))


def _rest(payment: Payment) -> shares.Shares:
    return shares.left(payment.shares, payment.refunded_shares)
