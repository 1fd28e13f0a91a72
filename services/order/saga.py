"""The saga of an order as one transition table for each version of its definition.

A rule maps the current status and a reply to the next status, the event to publish and the services that must reply to it.
An order ends by the definition that it began with: one that was under way during an upgrade is not asked for what the
release that accepted it did not know of. `begin` takes the newest definition.

Before the pivot (CONFIRMED) a failure is compensated; after it, steps are retried until they succeed. A reply without a rule
changes nothing: it is late or a duplicate. Three replies may come in any status: a timeout, a request to cancel, and an
operator who resumes a stuck saga.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.chassis import errors
from services.order import domain
from services.order.domain import Status, Step

DEFINITION_VERSION = 2

INVENTORY = "inventory"
PAYMENT = "payment"
PROMOTION = "promotion"
NOBODY: frozenset[str] = frozenset()
STOCK_ONLY = frozenset({INVENTORY})
MONEY_ONLY = frozenset({PAYMENT})
BOTH = frozenset({INVENTORY, PAYMENT})
COUPONS_ONLY = frozenset({PROMOTION})
CLAIMED = frozenset({INVENTORY, PROMOTION})
ALL = frozenset({INVENTORY, PAYMENT, PROMOTION})

# A wait that is repeated doubles up to this many times; after so many attempts the saga is stuck and an operator is called.
MOST_DOUBLINGS = 6
MOST_ATTEMPTS = 20


class Reply(StrEnum):
    """What can happen to an order, by the name that its history shows."""

    STOCK_RESERVED = "StockReserved"
    STOCK_REJECTED = "StockRejected"
    STOCK_RELEASED = "StockReleased"
    STOCK_COMMITTED = "StockCommitted"
    COUPONS_REDEEMED = "CouponsRedeemed"
    COUPONS_REFUSED = "CouponsRefused"
    COUPONS_RELEASED = "CouponsReleased"
    PAYMENT_AUTHORIZED = "PaymentAuthorized"
    PAYMENT_DECLINED = "PaymentDeclined"
    PAYMENT_CAPTURED = "PaymentCaptured"
    PAYMENT_CAPTURE_REFUSED = "PaymentCaptureRefused"
    PAYMENT_VOIDED = "PaymentVoided"
    PAYMENT_REFUNDED = "PaymentRefunded"
    DEADLINE_PASSED = "DeadlinePassed"
    CANCEL_REQUESTED = "CancelRequested"
    RESUMED = "Resumed"


class Tell(StrEnum):
    """The events that an order publishes."""

    PAYMENT_REQUESTED = "PaymentRequested"
    CONFIRMED = "OrderConfirmed"
    CANCELLED = "OrderCancelled"
    CANCELLATION_COMPLETED = "OrderCancellationCompleted"


@dataclass(frozen=True, slots=True)
class Rule:
    """A transition. reason says why an order is cancelled, if the reply does not.

    then follows at once, in its place, for an order that concerns none of the services it awaits.
    """

    becomes: Status
    step: Step
    awaits: frozenset[str]
    tells: Tell | None = None
    reason: str = ""
    then: "Rule | None" = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An awaited service answered. After the last answer, `then` follows."""

    by: str
    then: Rule


@dataclass(frozen=True, slots=True)
class Refused:
    """An awaited service definitely refused: `then` follows. A service that has already answered cannot take it back."""

    by: str
    then: Rule


@dataclass(frozen=True, slots=True)
class Overdue:
    """A timeout that is named after who did not answer: `then` follows if `by` did not, and otherwise `others`."""

    by: str
    then: Rule
    others: Rule


@dataclass(frozen=True, slots=True)
class Repeat:
    """A timeout: publish the event again for those that have not answered, and wait longer."""

    tells: Tell


SETTLED = Rule(Status.CONFIRMED, Step.DONE, NOBODY)
GIVEN_BACK = Rule(Status.CANCELLED, Step.DONE, NOBODY, Tell.CANCELLATION_COMPLETED)
CONFIRMED = Rule(Status.CONFIRMED, Step.SETTLEMENT, BOTH, Tell.CONFIRMED)


def _cancel(awaits: frozenset[str], reason: str) -> Rule:
    nothing_held = replace(GIVEN_BACK, reason=reason)
    return Rule(Status.CANCELLING, Step.COMPENSATION, awaits, Tell.CANCELLED, reason, nothing_held)


Found = Rule | Answered | Refused | Overdue | Repeat
Table = Mapping[tuple[Status, Reply], Found]

FIRST: Table = {
    # Stock is asked for.
    (Status.PENDING, Reply.STOCK_RESERVED): Rule(Status.RESERVED, Step.PAYMENT, MONEY_ONLY, Tell.PAYMENT_REQUESTED),
    (Status.PENDING, Reply.STOCK_REJECTED): replace(GIVEN_BACK, reason="STOCK_SHORT"),
    (Status.PENDING, Reply.DEADLINE_PASSED): _cancel(STOCK_ONLY, "STOCK_TIMEOUT"),
    (Status.PENDING, Reply.CANCEL_REQUESTED): _cancel(STOCK_ONLY, "CANCEL_REQUESTED"),
    # Stock is held, money is asked for.
    (Status.RESERVED, Reply.PAYMENT_AUTHORIZED): CONFIRMED,
    (Status.RESERVED, Reply.PAYMENT_DECLINED): _cancel(STOCK_ONLY, "PAYMENT_DECLINED"),
    (Status.RESERVED, Reply.STOCK_RELEASED): _cancel(MONEY_ONLY, "HOLD_EXPIRED"),
    (Status.RESERVED, Reply.DEADLINE_PASSED): _cancel(BOTH, "PAYMENT_TIMEOUT"),
    (Status.RESERVED, Reply.CANCEL_REQUESTED): _cancel(BOTH, "CANCEL_REQUESTED"),
    # The pivot is behind: money is taken, stock leaves the shelf, and both are asked again until they say so.
    (Status.CONFIRMED, Reply.STOCK_COMMITTED): Answered(INVENTORY, SETTLED),
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURED): Answered(PAYMENT, SETTLED),
    (Status.CONFIRMED, Reply.DEADLINE_PASSED): Repeat(Tell.CONFIRMED),
    # Only a definite refusal still stops it: the money was not handed over, or the hold had ended and nothing is left.
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURE_REFUSED): Refused(PAYMENT, _cancel(BOTH, "CAPTURE_REFUSED")),
    (Status.CONFIRMED, Reply.STOCK_REJECTED): Refused(INVENTORY, _cancel(MONEY_ONLY, "STOCK_LOST")),
    (Status.CONFIRMED, Reply.CANCEL_REQUESTED): _cancel(BOTH, "CANCEL_REQUESTED"),
    # What was held or taken is given back, and asked for again until it is.
    (Status.CANCELLING, Reply.STOCK_RELEASED): Answered(INVENTORY, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_VOIDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_REFUNDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.DEADLINE_PASSED): Repeat(Tell.CANCELLED),
}

# With coupons, which are redeemed in parallel with the stock. An order without them does not concern promotion, and one that
# costs nothing does not concern payment: what is awaited of them is passed over.
PAY = Rule(Status.RESERVED, Step.PAYMENT, MONEY_ONLY, Tell.PAYMENT_REQUESTED, then=CONFIRMED)
SECOND: Table = {
    # Stock is asked for, and the coupons.
    (Status.PENDING, Reply.STOCK_RESERVED): Answered(INVENTORY, PAY),
    (Status.PENDING, Reply.COUPONS_REDEEMED): Answered(PROMOTION, PAY),
    (Status.PENDING, Reply.STOCK_REJECTED): _cancel(COUPONS_ONLY, "STOCK_SHORT"),
    (Status.PENDING, Reply.COUPONS_REFUSED): Refused(PROMOTION, _cancel(STOCK_ONLY, "COUPON_REFUSED")),
    (Status.PENDING, Reply.DEADLINE_PASSED): Overdue(
        INVENTORY, _cancel(CLAIMED, "STOCK_TIMEOUT"), _cancel(CLAIMED, "COUPON_TIMEOUT")
    ),
    (Status.PENDING, Reply.CANCEL_REQUESTED): _cancel(CLAIMED, "CANCEL_REQUESTED"),
    # Stock is held and the coupons are redeemed, money is asked for.
    (Status.RESERVED, Reply.PAYMENT_AUTHORIZED): CONFIRMED,
    (Status.RESERVED, Reply.PAYMENT_DECLINED): _cancel(CLAIMED, "PAYMENT_DECLINED"),
    (Status.RESERVED, Reply.STOCK_RELEASED): _cancel(frozenset({PAYMENT, PROMOTION}), "HOLD_EXPIRED"),
    (Status.RESERVED, Reply.DEADLINE_PASSED): _cancel(ALL, "PAYMENT_TIMEOUT"),
    (Status.RESERVED, Reply.CANCEL_REQUESTED): _cancel(ALL, "CANCEL_REQUESTED"),
    # The pivot is behind: as in the first definition. Promotion commits the redemption because of OrderConfirmed, and is not
    # awaited: nothing of the order depends on it any more.
    (Status.CONFIRMED, Reply.STOCK_COMMITTED): Answered(INVENTORY, SETTLED),
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURED): Answered(PAYMENT, SETTLED),
    (Status.CONFIRMED, Reply.DEADLINE_PASSED): Repeat(Tell.CONFIRMED),
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURE_REFUSED): Refused(PAYMENT, _cancel(ALL, "CAPTURE_REFUSED")),
    (Status.CONFIRMED, Reply.STOCK_REJECTED): Refused(
        INVENTORY, _cancel(frozenset({PAYMENT, PROMOTION}), "STOCK_LOST")
    ),
    (Status.CONFIRMED, Reply.CANCEL_REQUESTED): _cancel(ALL, "CANCEL_REQUESTED"),
    # What was held, redeemed or taken is given back, and asked for again until it is.
    (Status.CANCELLING, Reply.STOCK_RELEASED): Answered(INVENTORY, GIVEN_BACK),
    (Status.CANCELLING, Reply.COUPONS_RELEASED): Answered(PROMOTION, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_VOIDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_REFUNDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.DEADLINE_PASSED): Repeat(Tell.CANCELLED),
}

DEFINITIONS: Mapping[int, Table] = {1: FIRST, 2: SECOND}


@dataclass(frozen=True, slots=True)
class Event:
    """A reply to one order: who it comes from, and what else it says."""

    order_id: str
    reply: Reply
    actor: str
    reason: str = ""
    payment_id: str = ""
    shortages: tuple[domain.Shortage, ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """How long each step may wait, in seconds. Stock and payment together stay below inventory's hold.

    catch_up_s is how long every order waits at the least once somebody listens again, when nobody did for a while.
    """

    stock_s: float
    payment_s: float
    settlement_s: float
    compensation_s: float
    catch_up_s: float = 30.0

    def after(self, saga: domain.Saga) -> float | None:
        """Seconds until this saga times out; None when it has ended or waits for an operator."""
        if saga.stuck or saga.step is Step.DONE:
            return None
        first = {
            Step.STOCK: self.stock_s,
            Step.PAYMENT: self.payment_s,
            Step.SETTLEMENT: self.settlement_s,
            Step.COMPENSATION: self.compensation_s,
        }[saga.step]
        return first * float(2 ** min(saga.attempts, MOST_DOUBLINGS))


@dataclass(frozen=True, slots=True)
class Advance:
    """The result of a reply: the order's new saga, the entry in its history, the events to publish."""

    saga: domain.Saga
    entry: domain.HistoryEntry
    facts: tuple[domain.Fact, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A new order with its saga, the first entry of its history and the event to publish."""

    placed: domain.Placed
    entry: domain.HistoryEntry
    fact: domain.OrderPlaced


def begin(order: domain.Order, saga_id: str) -> Begun:
    """A new order: its saga waits for stock, and for its coupons if it has any."""
    started = domain.Saga(
        id=saga_id,
        order_id=order.id,
        definition_version=DEFINITION_VERSION,
        status=Status.PENDING,
        step=Step.STOCK,
        awaiting=CLAIMED & concerned(order),
        version=1,
        update_time=order.create_time,
    )
    actor = f"user:{order.user_id}"
    entry = domain.HistoryEntry(order.id, 1, started.status, "OrderPlaced", "", actor, order.create_time)
    return Begun(domain.Placed(order, started), entry, domain.OrderPlaced(order, 1))


def concerned(order: domain.Order) -> frozenset[str]:
    """The services that do something for this order."""
    promotion = COUPONS_ONLY if order.redemptions else NOBODY
    return STOCK_ONLY | promotion | (MONEY_ONLY if order.total.amount else NOBODY)


def advance(placed: domain.Placed, event: Event, now: datetime) -> Advance | None:
    """The transition that the event causes; None when it changes nothing.

    Raises TransientError for a saga of a newer definition: while a release is rolled out, the event is for a newer process.
    """
    saga = placed.saga
    if event.reply is Reply.RESUMED:
        return _moved(placed, replace(saga, stuck=False, attempts=0), event, now=now) if saga.stuck else None
    found = _definition(saga).get((saga.status, event.reply))
    rule = _rule(found, saga)
    if rule:
        return _followed(placed, rule, event, now)
    if isinstance(found, Answered) and found.by in saga.awaiting:
        return _moved(placed, replace(saga, awaiting=saga.awaiting - {found.by}), event, now=now)
    if isinstance(found, Repeat):
        tried = saga.attempts + 1
        again = replace(saga, attempts=tried, stuck=tried >= MOST_ATTEMPTS)
        return _moved(placed, again, event, tells=found.tells, now=now)
    return None


def _rule(found: Found | None, saga: domain.Saga) -> Rule | None:
    """The transition that the table says for this saga, if it says one."""
    match found:
        case Rule():
            return found
        case Refused(by, then) if by in saga.awaiting:
            return then
        case Answered(by, then) if saga.awaiting == {by}:
            return then
        case Overdue(by, then, others):
            return then if by in saga.awaiting else others
        case _:
            return None


def contradicts(placed: domain.Placed, event: Event) -> bool:
    """Whether a service refuses what it confirmed before: nothing follows, but that service has lost data."""
    rule = _definition(placed.saga).get((placed.saga.status, event.reply))
    return isinstance(rule, Refused) and rule.by not in placed.saga.awaiting


def _definition(saga: domain.Saga) -> Table:
    found = DEFINITIONS.get(saga.definition_version)
    if found is None:
        said = f"order {saga.order_id} follows definition {saga.definition_version}, this release knows {DEFINITION_VERSION}"
        raise errors.TransientError(said)
    return found


def _followed(placed: domain.Placed, rule: Rule, event: Event, now: datetime) -> Advance:
    asked = concerned(placed.order)
    while rule.then and not rule.awaits & asked:
        rule = rule.then
    moved = _follow(placed.saga, rule, event, rule.awaits & asked)
    return _moved(placed, moved, event, tells=rule.tells, now=now)


def _follow(saga: domain.Saga, rule: Rule, event: Event, awaits: frozenset[str]) -> domain.Saga:
    return replace(
        saga,
        status=rule.becomes,
        step=rule.step,
        awaiting=awaits,
        attempts=0,
        stuck=False,
        payment_id=event.payment_id or saga.payment_id,
        cancel_reason=rule.reason or saga.cancel_reason,
        shortages=event.shortages or saga.shortages,
    )


def _moved(
    placed: domain.Placed, saga: domain.Saga, event: Event, *, now: datetime, tells: Tell | None = None
) -> Advance:
    saga = replace(saga, version=saga.version + 1, update_time=now)
    reason = event.reason or (saga.cancel_reason if saga.status is not placed.saga.status else "")
    entry = domain.HistoryEntry(saga.order_id, saga.version, saga.status, event.reply, reason, event.actor, now)
    return Advance(saga, entry, (_fact(tells, placed.order, saga),) if tells else ())


def _fact(tells: Tell, order: domain.Order, saga: domain.Saga) -> domain.Fact:
    match tells:
        case Tell.PAYMENT_REQUESTED:
            return domain.PaymentRequested(order, saga.version, saga.update_time)
        case Tell.CONFIRMED:
            return domain.OrderConfirmed(order, saga.version, saga.update_time)
        case Tell.CANCELLED:
            return domain.OrderCancelled(order, saga.version, saga.cancel_reason, saga.attempts)
        case Tell.CANCELLATION_COMPLETED:
            return domain.OrderCancellationCompleted(order, saga.version, saga.cancel_reason)
