"""Returns of lines and quantities: what may come back, and how a return moves. Their money is `refunds.py`.

REQUESTED -> APPROVED -> RECEIVED -> INSPECTED -> REFUNDED; from REQUESTED and APPROVED also -> REJECTED. A return claims its
units until it is rejected, and after its inspection those that came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.chassis import errors
from services.order import domain
from services.order.domain import refunds

# All returns of an order are read together: nobody needs more.
MOST_RETURNS = 100


class Status(StrEnum):
    """Where a return is. The words are those of the contract and of SQL."""

    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RECEIVED = "RECEIVED"
    INSPECTED = "INSPECTED"
    REFUNDED = "REFUNDED"


class Reason(StrEnum):
    """Why something comes back. The words are those of the contract."""

    CHANGED_MIND = "CHANGED_MIND"
    DEFECTIVE = "DEFECTIVE"
    DAMAGED = "DAMAGED"
    WRONG_ITEM = "WRONG_ITEM"
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED"


# The shop is at fault for all but a change of mind.
FAULTS = frozenset(Reason) - {Reason.CHANGED_MIND}


class Event(StrEnum):
    """What happens to a return, by the name that its history shows."""

    REQUESTED = "ReturnRequested"
    APPROVED = "ReturnApproved"
    REJECTED = "ReturnRejected"
    RECEIVED = "ReturnReceived"
    INSPECTED = "ReturnInspected"
    REFUNDED = "ReturnRefunded"
    EXCHANGED = "ReturnExchanged"


TABLE: Mapping[tuple[Status, Event], Status] = {
    (Status.REQUESTED, Event.APPROVED): Status.APPROVED,
    (Status.REQUESTED, Event.REJECTED): Status.REJECTED,
    (Status.APPROVED, Event.REJECTED): Status.REJECTED,
    (Status.APPROVED, Event.RECEIVED): Status.RECEIVED,
    (Status.RECEIVED, Event.INSPECTED): Status.INSPECTED,
    (Status.INSPECTED, Event.REFUNDED): Status.REFUNDED,
}
# What each event leads to: who repeats it finds its return there.
LEADS_TO: Mapping[Event, Status] = {event: status for (_, event), status in TABLE.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """Units of a SKU that come back, why, and what was found of them: the rest did not come."""

    sku: str
    quantity: int
    reason: Reason
    resell: int = 0
    scrap: int = 0
    refund: refunds.Refund = refunds.NOTHING

    @property
    def accepted(self) -> refunds.Units:
        """What came back."""
        came = self.resell + self.scrap
        return refunds.Units(came, came if self.reason in FAULTS else 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a SKU: so many that can be sold again, so many that cannot."""

    sku: str
    resell: int
    scrap: int


@dataclass(frozen=True, slots=True)
class Return:
    """A return. refund is what is due in all, refunded what was given back in minor units: None until it was."""

    id: str
    order_id: str
    user_id: str
    currency: str
    taxes_included: bool
    status: Status
    lines: tuple[Line, ...]
    note: str
    photos: tuple[str, ...]
    create_time: datetime
    update_time: datetime
    version: int = 1
    reject_reason: str = ""
    warehouse: str = ""
    refund: refunds.Refund | None = None
    refunded: int | None = None
    exchange_order_id: str = ""

    @property
    def amount(self) -> int:
        """What is due in all, in minor units."""
        return self.refund.amount(taxes_included=self.taxes_included) if self.refund else 0

    @property
    def claims(self) -> dict[str, int]:
        """How many units of each SKU nobody can return again."""
        if self.status is Status.REJECTED:
            return {}
        if self.refund is not None:
            return {line.sku: line.accepted.accepted for line in self.lines}
        return {line.sku: line.quantity for line in self.lines}


@dataclass(frozen=True, slots=True)
class Wish:
    """A customer's wish to return something. request_id is empty when the caller will not repeat the call."""

    order_id: str
    lines: tuple[Line, ...]
    note: str = ""
    photos: tuple[str, ...] = ()
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Settled:
    """Payment has given back so much for a return, in minor units."""

    return_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in a return's history. sequence is the return's version after it."""

    return_id: str
    sequence: int
    status: Status
    event: str
    reason: str
    actor: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that others are told about a return."""

    back: Return


class ReturnRequested(Fact):
    """A customer asked for it."""


class ReturnApproved(Fact):
    """It was granted."""


class ReturnRejected(Fact):
    """It was refused, or its goods never came."""


class ReturnReceived(Fact):
    """Its goods are there."""


@dataclass(frozen=True, slots=True)
class ReturnInspected(Fact):
    """It is known what came back, and what is due for it: shares are what of that is charged to vendors, in minor units."""

    shares: Mapping[str, int] = field(default_factory=dict)


class ReturnRefunded(Fact):
    """Its money was given back."""


FACTS: Mapping[Event, type[Fact]] = {
    Event.REQUESTED: ReturnRequested,
    Event.APPROVED: ReturnApproved,
    Event.REJECTED: ReturnRejected,
    Event.RECEIVED: ReturnReceived,
    Event.INSPECTED: ReturnInspected,
    Event.REFUNDED: ReturnRefunded,
}


@dataclass(frozen=True, slots=True)
class Did:
    """What somebody does to a return: what it becomes by it, who did it and when, and in whose words."""

    event: Event
    actor: str
    time: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A return as it is now, with what to add to its history and what to tell."""

    back: Return
    entries: tuple[Entry, ...]
    facts: tuple[Fact, ...]


def request(placed: domain.Placed, wish: Wish, earlier: Sequence[Return], return_id: str, did: Did) -> Moved:
    """A new return of a delivered order.

    Raises RETURN_LIMIT_REACHED, SKU_NOT_ORDERED, SKU_DUPLICATE or RETURN_QUANTITY_EXCEEDED.
    """
    if len(earlier) >= MOST_RETURNS:
        said = f"an order can have at most {MOST_RETURNS} returns"
        raise errors.precondition("RETURN_LIMIT_REACHED", said, limit=str(MOST_RETURNS))
    _check_lines(placed.order, wish.lines, earlier)
    order = placed.order
    back = Return(
        id=return_id,
        order_id=order.id,
        user_id=order.user_id,
        currency=order.total.currency,
        taxes_included=order.taxes_included,
        status=Status.REQUESTED,
        lines=tuple(sorted(wish.lines, key=lambda line: line.sku)),
        note=wish.note,
        photos=wish.photos,
        create_time=did.time,
        update_time=did.time,
    )
    return _told(back, did)


def check_window(placed: domain.Placed, delivered: datetime | None, window: timedelta, now: datetime) -> None:
    """Raise ORDER_NOT_DELIVERED or RETURN_WINDOW_CLOSED unless something of the order may be returned now."""
    if placed.saga.status is not domain.Status.DELIVERED or delivered is None:
        said = "only an order that was delivered can be returned"
        raise errors.precondition("ORDER_NOT_DELIVERED", said, status=placed.saga.status)
    if now > delivered + window:
        closed_at = (delivered + window).isoformat()
        said = f"the order could be returned until {closed_at}"
        raise errors.precondition("RETURN_WINDOW_CLOSED", said, closed_at=closed_at)


def move(back: Return, did: Did, **changes: object) -> Moved | None:
    """The return after what somebody did to it; None when that was done before. Raises RETURN_STATUS_WRONG."""
    becomes = TABLE.get((back.status, did.event))
    if becomes is None:
        if back.status is LEADS_TO[did.event]:
            return None
        said = f"the return is {back.status}"
        raise errors.precondition("RETURN_STATUS_WRONG", said, return_id=back.id, status=back.status)
    moved = replace(back, status=becomes, version=back.version + 1, update_time=did.time, **changes)  # type: ignore[arg-type]  # fields of a return
    return _told(moved, did)


def inspect(
    order: domain.Order, back: Return, findings: Sequence[Finding], earlier: Iterable[Return], did: Did
) -> Moved | None:
    """The return with what was found and what is due for it; one that is worth nothing is refunded at once.

    earlier are the order's returns, this one among them or not. Raises RETURN_STATUS_WRONG or FINDINGS_WRONG.
    """
    lines = _found(back, findings)
    if back.refund is not None and _compared(lines) != _compared(back.lines):
        said = f"the return is {back.status}, and other findings were recorded"
        raise errors.precondition("RETURN_STATUS_WRONG", said, return_id=back.id, status=back.status)
    if back.refund is not None:
        return None
    came = {line.sku: line.accepted for line in lines}
    before = came_back(other for other in earlier if other.id != back.id)
    due = refunds.due(order, before, came)
    priced = tuple(replace(line, refund=due.get(line.sku, refunds.NOTHING)) for line in lines)
    inspected = move(back, did, lines=priced, refund=sum(due.values(), refunds.NOTHING))
    if inspected is None:
        return None
    if inspected.back.amount:
        return replace(inspected, facts=(ReturnInspected(inspected.back, refunds.charged(order, before, came)),))
    nothing = refunded(inspected.back, 0, replace(did, event=Event.REFUNDED))
    return _both(inspected, nothing) if nothing else inspected


def refunded(back: Return, amount: int, did: Did) -> Moved | None:
    """The return whose money was given back; None when that is known, or makes no sense: what is heard may be late."""
    return move(back, did, refunded=amount) if back.status is Status.INSPECTED else None


def check_exchange(back: Return) -> None:
    """Raise RETURN_STATUS_WRONG when there is nothing to exchange."""
    if back.status is Status.REJECTED:
        raise errors.precondition(
            "RETURN_STATUS_WRONG", "the return was rejected", return_id=back.id, status=back.status
        )


def exchanged(back: Return, order_id: str, did: Did) -> Moved | None:
    """The return with the order that was placed in exchange; None when it has one. Nobody else is told."""
    if back.exchange_order_id:
        return None
    moved = replace(back, exchange_order_id=order_id, version=back.version + 1, update_time=did.time)
    return Moved(moved, (_entry(moved, did),), ())


def came_back(returns: Iterable[Return]) -> dict[str, refunds.Units]:
    """How much of each SKU has come back by these returns."""
    total: dict[str, refunds.Units] = {}
    for back in returns:
        for line in back.lines if back.refund is not None else ():
            total[line.sku] = total.get(line.sku, refunds.NONE) + line.accepted
    return total


def _told(back: Return, did: Did) -> Moved:
    return Moved(back, (_entry(back, did),), (FACTS[did.event](back),))


def _entry(back: Return, did: Did) -> Entry:
    return Entry(back.id, back.version, back.status, did.event, did.reason, did.actor, did.time)


def _both(first: Moved, then: Moved) -> Moved:
    return Moved(then.back, (*first.entries, *then.entries), (*first.facts, *then.facts))


def _compared(lines: Iterable[Line]) -> list[tuple[str, int, int]]:
    return [(line.sku, line.resell, line.scrap) for line in lines]


def _check_lines(order: domain.Order, lines: Sequence[Line], earlier: Iterable[Return]) -> None:
    left = {line.sku: line.quantity for line in order.lines}
    for back in earlier:
        for sku, quantity in back.claims.items():
            left[sku] -= quantity
    seen: set[str] = set()
    wrong: list[errors.Violation] = []
    for number, line in enumerate(lines):
        field = f"lines[{number}]"
        if line.sku in seen:
            wrong.append(errors.Violation(f"{field}.sku", f"{line.sku} appears more than once", "SKU_DUPLICATE"))
        elif line.sku not in left:
            wrong.append(errors.Violation(f"{field}.sku", f"{line.sku} is not in the order", "SKU_NOT_ORDERED"))
        elif line.quantity > left[line.sku]:
            said = f"of {line.sku} {left[line.sku]} can still be returned"
            wrong.append(errors.Violation(f"{field}.quantity", said, "RETURN_QUANTITY_EXCEEDED"))
        seen.add(line.sku)
    if wrong:
        raise errors.invalid(wrong[0].reason, "some of the lines cannot be returned", *wrong)


def _found(back: Return, findings: Sequence[Finding]) -> tuple[Line, ...]:
    lines = {line.sku: line for line in back.lines}
    seen: set[str] = set()
    wrong: list[errors.Violation] = []
    for number, finding in enumerate(findings):
        field, line = f"findings[{number}]", lines.get(finding.sku)
        if line is None or finding.sku in seen:
            wrong.append(errors.Violation(f"{field}.sku", "must be one of the return's lines, and only once"))
        elif finding.resell + finding.scrap > line.quantity:
            wrong.append(errors.Violation(field, f"at most {line.quantity} of {finding.sku} can have come"))
        seen.add(finding.sku)
    if not wrong and not any(finding.resell + finding.scrap for finding in findings):
        wrong.append(errors.Violation("findings", "must be of one unit at least: reject what did not come"))
    if wrong:
        raise errors.invalid("FINDINGS_WRONG", "some of the findings do not fit the return", *wrong)
    found = {finding.sku: finding for finding in findings}
    return tuple(
        replace(line, resell=found[line.sku].resell, scrap=found[line.sku].scrap) if line.sku in found else line
        for line in back.lines
    )
