"""The saga of an order as one transition table.

A rule maps the current status and a reply to the next status, the event to publish and the services that must reply to it.

Before the pivot (CONFIRMED) a failure is compensated; after it, steps are retried until they succeed. A reply without a rule
changes nothing: it is late or a duplicate. Three replies may come in any status: a timeout, a request to cancel, and an
operator who resumes a stuck saga.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.order import domain
from services.order.domain import Status, Step

DEFINITION_VERSION = 1

INVENTORY = "inventory"
PAYMENT = "payment"
NOBODY: frozenset[str] = frozenset()
STOCK_ONLY = frozenset({INVENTORY})
MONEY_ONLY = frozenset({PAYMENT})
BOTH = frozenset({INVENTORY, PAYMENT})

# A wait that is repeated doubles up to this many times; after so many attempts the saga is stuck and an operator is called.
MOST_DOUBLINGS = 6
MOST_ATTEMPTS = 20


class Reply(StrEnum):
    """What can happen to an order, by the name that its history shows."""

    STOCK_RESERVED = "StockReserved"
    STOCK_REJECTED = "StockRejected"
    STOCK_RELEASED = "StockReleased"
    STOCK_COMMITTED = "StockCommitted"
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
    """A transition. reason says why an order is cancelled, if the reply does not."""

    becomes: Status
    step: Step
    awaits: frozenset[str]
    tells: Tell | None = None
    reason: str = ""


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
class Repeat:
    """A timeout: publish the event again for those that have not answered, and wait longer."""

    tells: Tell


def _cancel(awaits: frozenset[str], reason: str) -> Rule:
    return Rule(Status.CANCELLING, Step.COMPENSATION, awaits, Tell.CANCELLED, reason)


SETTLED = Rule(Status.CONFIRMED, Step.DONE, NOBODY)
GIVEN_BACK = Rule(Status.CANCELLED, Step.DONE, NOBODY, Tell.CANCELLATION_COMPLETED)

TABLE: Mapping[tuple[Status, Reply], Rule | Answered | Refused | Repeat] = {
    # Stock is asked for.
    (Status.PENDING, Reply.STOCK_RESERVED): Rule(Status.RESERVED, Step.PAYMENT, MONEY_ONLY, Tell.PAYMENT_REQUESTED),
    (Status.PENDING, Reply.STOCK_REJECTED): replace(GIVEN_BACK, reason="STOCK_SHORT"),
    (Status.PENDING, Reply.DEADLINE_PASSED): _cancel(STOCK_ONLY, "STOCK_TIMEOUT"),
    (Status.PENDING, Reply.CANCEL_REQUESTED): _cancel(STOCK_ONLY, "CANCEL_REQUESTED"),
    # Stock is held, money is asked for.
    (Status.RESERVED, Reply.PAYMENT_AUTHORIZED): Rule(Status.CONFIRMED, Step.SETTLEMENT, BOTH, Tell.CONFIRMED),
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
    """A new order: its saga waits for stock."""
    started = domain.Saga(
        id=saga_id,
        order_id=order.id,
        definition_version=DEFINITION_VERSION,
        status=Status.PENDING,
        step=Step.STOCK,
        awaiting=STOCK_ONLY,
        version=1,
        update_time=order.create_time,
    )
    actor = f"user:{order.user_id}"
    entry = domain.HistoryEntry(order.id, 1, started.status, "OrderPlaced", "", actor, order.create_time)
    return Begun(domain.Placed(order, started), entry, domain.OrderPlaced(order, 1))


def advance(placed: domain.Placed, event: Event, now: datetime) -> Advance | None:
    """The transition that the event causes; None when it changes nothing."""
    saga = placed.saga
    if event.reply is Reply.RESUMED:
        return _moved(placed, replace(saga, stuck=False, attempts=0), event, now=now) if saga.stuck else None
    rule = TABLE.get((saga.status, event.reply))
    if isinstance(rule, Refused):
        rule = rule.then if rule.by in saga.awaiting else None
    match rule:
        case Rule():
            return _moved(placed, _follow(saga, rule, event), event, tells=rule.tells, now=now)
        case Answered(by, then) if by in saga.awaiting:
            left = saga.awaiting - {by}
            if left:
                return _moved(placed, replace(saga, awaiting=left), event, now=now)
            return _moved(placed, _follow(saga, then, event), event, tells=then.tells, now=now)
        case Repeat(tells):
            tried = saga.attempts + 1
            again = replace(saga, attempts=tried, stuck=tried >= MOST_ATTEMPTS)
            return _moved(placed, again, event, tells=tells, now=now)
        case _:
            return None


def contradicts(placed: domain.Placed, event: Event) -> bool:
    """Whether a service refuses what it confirmed before: nothing follows, but that service has lost data."""
    rule = TABLE.get((placed.saga.status, event.reply))
    return isinstance(rule, Refused) and rule.by not in placed.saga.awaiting


def _follow(saga: domain.Saga, rule: Rule, event: Event) -> domain.Saga:
    return replace(
        saga,
        status=rule.becomes,
        step=rule.step,
        awaiting=rule.awaits,
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
