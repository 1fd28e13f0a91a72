"""The saga of an order as one transition table for each version of its definition.

`definitions.py` has the tables; here they are played. An order ends by the definition that it began with: one that was under
way during an upgrade is not asked for what the release that accepted it did not know of. `begin` takes the newest definition.

Before the pivot (CONFIRMED) a failure is compensated; after it, steps are retried until they succeed. A reply without a rule
changes nothing: it is late or a duplicate. Three replies may come in any status: a timeout, a request to cancel, and an
operator who resumes a stuck saga.

Since the third definition an order goes on behind the pivot until it is delivered. What it waits for then may come in any
order, and its status follows from what is left (`PROGRESS`). To cancel it, shipping is asked first whether anything has left.

Since the fourth an order whose payment its customer has to confirm awaits `customer` beside `payment`, for longer.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from services.chassis import errors
from services.order import domain
from services.order.domain import Status, Step
from services.order.saga.definitions import (
    CLAIMED,
    CONFIRMATION,
    COUPONS_ONLY,
    CUSTOMER,
    DEFINITION_VERSION,
    DEFINITIONS,
    INVENTORY,
    MONEY_ONLY,
    NOBODY,
    PARCELS,
    PAYMENT,
    PROGRESS,
    PROMOTION,
    SHIPPING,
    STOCK_ONLY,
    STOPPED,
    STOPS,
    Answered,
    Asked,
    Found,
    Joined,
    Noted,
    Reached,
    Refused,
    Repeat,
    Reply,
    Rule,
    Table,
    Tell,
    Whether,
)

__all__ = [
    "CUSTOMER",
    "DEFINITION_VERSION",
    "INVENTORY",
    "PAYMENT",
    "PROMOTION",
    "SHIPPING",
    "Advance",
    "Begun",
    "Event",
    "Reply",
    "Waits",
    "advance",
    "begin",
    "concerned",
    "contradicts",
]

# A wait that is repeated doubles up to this many times; after so many attempts the saga is stuck and an operator is called.
MOST_DOUBLINGS = 6
MOST_ATTEMPTS = 20


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
    """How long each step may wait, in seconds. Stock, payment and confirmation together stay below inventory's hold.

    confirmation_s is how long a customer may take to confirm a payment, from when that is asked for. catch_up_s is how long
    every order waits at the least once somebody listens again, when nobody did for a while. delivery_s is after how long shipping
    is asked again about an order that is on its way.
    """

    stock_s: float
    payment_s: float
    settlement_s: float
    compensation_s: float
    catch_up_s: float = 30.0
    delivery_s: float = 86_400.0
    confirmation_s: float = 600.0

    def after(self, saga: domain.Saga) -> float | None:
        """Seconds until this saga times out; None when it has ended or waits for an operator."""
        if saga.stuck or saga.step is Step.DONE:
            return None
        first = {
            Step.STOCK: self.stock_s,
            Step.PAYMENT: self.payment_s,
            Step.SETTLEMENT: self.settlement_s,
            Step.DELIVERY: self.delivery_s,
            Step.COMPENSATION: self.compensation_s,
        }[saga.step]
        if saga.awaiting & STOPS:
            first = self.compensation_s
        if saga.awaiting & CONFIRMATION:
            first = self.confirmation_s
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
    """The services that do something for this order, and what is awaited of its parcels."""
    promotion = COUPONS_ONLY if order.redemptions else NOBODY
    return STOCK_ONLY | PARCELS | promotion | (MONEY_ONLY if order.total.amount else NOBODY)


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
    follows = _following(found, saga)
    return _moved(placed, follows[0], event, *follows[1], now=now) if follows else None


def _following(found: Found | None, saga: domain.Saga) -> tuple[domain.Saga, tuple[Tell, ...]] | None:
    """What follows in the same table's row without a transition: the saga then, and what is told; None for nothing."""
    match found:
        case Answered(by) if by in saga.awaiting:
            return replace(saga, awaiting=saga.awaiting - {by}), ()
        case Repeat(tells):
            tried = saga.attempts + 1
            return replace(saga, attempts=tried, stuck=tried >= MOST_ATTEMPTS), _repeated(tells, saga)
        case Reached(tokens) if tokens & saga.awaiting:
            return _progressed(saga, saga.awaiting - tokens), ()
        case Asked(token, by) | Joined(token, by) if token not in saga.awaiting and (not by or by in saga.awaiting):
            asks = (Tell.STOP_REQUESTED,) if isinstance(found, Asked) else ()
            return replace(saga, awaiting=saga.awaiting | {token}, attempts=0), asks
        case Noted():
            return saga, ()
    return None


def _repeated(tells: Tell, saga: domain.Saga) -> tuple[Tell, ...]:
    """What is told again of an order whose answers are late: what it told before, and what it asks shipping meanwhile."""
    if not saga.awaiting & STOPS:
        return (tells,)
    return (Tell.STOP_REQUESTED, tells) if saga.step is Step.SETTLEMENT else (Tell.STOP_REQUESTED,)


def _progressed(saga: domain.Saga, left: frozenset[str]) -> domain.Saga:
    """The saga with what is left to wait for. At its end it waits for nothing: what was delivered cannot be stopped."""
    for tokens, status, step in PROGRESS:
        if tokens & left:
            same = status is saga.status and left & STOPS == saga.awaiting & STOPS
            return replace(saga, status=status, step=step, awaiting=left, attempts=saga.attempts if same else 0)
    return replace(saga, status=Status.DELIVERED, step=Step.DONE, awaiting=NOBODY, attempts=0)


def _rule(found: Found | None, saga: domain.Saga) -> Rule | None:
    """The transition that the table says for this saga, if it says one."""
    match found:
        case Rule():
            return found
        case Refused(by, then) if by in saga.awaiting:
            return then
        case Answered(by, then) if saga.awaiting == {by}:
            return then
        case Whether(by, then, others) if found is not STOPPED or saga.awaiting & STOPS:
            return then if by in saga.awaiting else others
        case _:
            return None


def contradicts(placed: domain.Placed, event: Event) -> bool:
    """Whether a service refuses what it confirmed before: nothing follows, but that service has lost data."""
    rule = _definition(placed.saga).get((placed.saga.status, event.reply))
    return isinstance(rule, Refused | Asked) and bool(rule.by) and rule.by not in placed.saga.awaiting


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
    return _moved(placed, moved, event, *([rule.tells] if rule.tells else []), now=now)


def _follow(saga: domain.Saga, rule: Rule, event: Event, awaits: frozenset[str]) -> domain.Saga:
    return replace(
        saga,
        status=rule.becomes,
        step=rule.step,
        awaiting=awaits,
        attempts=0,
        stuck=False,
        cancel_reason=rule.reason or saga.cancel_reason,
        shortages=event.shortages or saga.shortages,
    )


def _moved(placed: domain.Placed, saga: domain.Saga, event: Event, *tells: Tell, now: datetime) -> Advance:
    payment_id = event.payment_id or saga.payment_id
    saga = replace(saga, version=saga.version + 1, update_time=now, payment_id=payment_id)
    reason = event.reason or (saga.cancel_reason if saga.status is not placed.saga.status else "")
    entry = domain.HistoryEntry(saga.order_id, saga.version, saga.status, event.reply, reason, event.actor, now)
    return Advance(saga, entry, tuple(_fact(tell, placed.order, saga) for tell in tells))


def _fact(tells: Tell, order: domain.Order, saga: domain.Saga) -> domain.Fact:
    match tells:
        case Tell.PAYMENT_REQUESTED:
            return domain.PaymentRequested(order, saga.version, saga.update_time)
        case Tell.CONFIRMED:
            return domain.OrderConfirmed(order, saga.version, saga.update_time)
        case Tell.STOP_REQUESTED:
            return domain.ShipmentsStopRequested(order, saga.version)
        case Tell.CANCELLED:
            return domain.OrderCancelled(order, saga.version, saga.cancel_reason, saga.attempts)
        case Tell.CANCELLATION_COMPLETED:
            return domain.OrderCancellationCompleted(order, saga.version, saga.cancel_reason)
