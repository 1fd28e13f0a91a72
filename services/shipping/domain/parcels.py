"""What a parcel is and how it moves: one table, without any I/O.

Until the carrier has a parcel it can be stopped: its label is voided then, and nothing of it is sent. What the carrier says of
its way never goes back behind what it said before. A parcel of a return goes the other way: its label is the customer's, who
brings it to the carrier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services import tariff
from services.chassis import errors


class State(StrEnum):
    """Where a parcel is. The words are those of SQL; the contract shows some of them as others (`messages.py`)."""

    # The carrier is being asked for a label.
    LABELLING = "LABELLING"
    LABELLED = "LABELLED"
    # The customer has the label of a return, and is to bring the parcel to the carrier.
    AWAITED = "AWAITED"
    PICKED = "PICKED"
    PACKED = "PACKED"
    # It was handed over, which the carrier is still to be told.
    HANDED_OVER = "HANDED_OVER"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    DELIVERY_FAILED = "DELIVERY_FAILED"
    DELIVERED = "DELIVERED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    LOST = "LOST"
    DAMAGED = "DAMAGED"
    LABEL_REFUSED = "LABEL_REFUSED"
    # The order was cancelled while the carrier was being asked: the label that it sells is voided at once.
    LABELLING_STOPPED = "LABELLING_STOPPED"
    # The label is being given back.
    VOIDING = "VOIDING"
    STOPPED = "STOPPED"


class Verb(StrEnum):
    """What the carrier can be asked to do about one parcel's label."""

    BUY = "buy"
    VOID = "void"


class Input(StrEnum):
    """What can happen to a parcel, by the name that its history shows."""

    # The carrier has a label for it, which was not bought yet: what comes before, where a carrier asks for two steps.
    LABEL_OFFERED = "LABEL_OFFERED"
    LABEL_BOUGHT = "LABEL_BOUGHT"
    LABEL_REFUSED = "LABEL_REFUSED"
    LABEL_VOIDED = "LABEL_VOIDED"
    # A label that was to be given back is used: the parcel travels.
    LABEL_USED = "LABEL_USED"
    # The label of a return was given to its customer.
    AWAITED = "AWAITED"
    PICKED = "PICKED"
    PACKED = "PACKED"
    HANDED_OVER = "HANDED_OVER"
    STOPPED = "STOPPED"
    # What the carrier says of its way.
    ACCEPTED = "ACCEPTED"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    DELIVERY_FAILED = "DELIVERY_FAILED"
    DELIVERED = "DELIVERED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    LOST = "LOST"
    DAMAGED = "DAMAGED"


VERBS: Mapping[State, Verb] = {
    State.LABELLING: Verb.BUY,
    State.LABELLING_STOPPED: Verb.BUY,
    State.VOIDING: Verb.VOID,
}
# The carrier has it, and it has not arrived.
TRAVELLING = frozenset(
    {
        State.HANDED_OVER,
        State.IN_TRANSIT,
        State.OUT_FOR_DELIVERY,
        State.DELIVERY_FAILED,
        State.RETURNING,
    }
)
# What the carrier is asked about again and again: where it is, or whether it came.
FOLLOWED = TRAVELLING | {State.AWAITED}
# The carrier has it, or had it.
LEFT = TRAVELLING | {State.DELIVERED, State.RETURNED, State.LOST, State.DAMAGED}
# Nothing will happen to these any more.
ENDED = frozenset({State.DELIVERED, State.RETURNED, State.LOST, State.DAMAGED, State.STOPPED, State.LABEL_REFUSED})
# Nothing is sent of these, nor will be.
NOT_SENT = frozenset({State.LABELLING_STOPPED, State.VOIDING, State.STOPPED})
# Nobody will bring it to its recipient any more, though the order is not cancelled.
UNDELIVERABLE = frozenset({State.LABEL_REFUSED, State.RETURNED, State.LOST, State.DAMAGED})

_TRACKED: Mapping[Input, State] = {
    Input.ACCEPTED: State.IN_TRANSIT,
    Input.IN_TRANSIT: State.IN_TRANSIT,
    Input.OUT_FOR_DELIVERY: State.OUT_FOR_DELIVERY,
    Input.DELIVERY_FAILED: State.DELIVERY_FAILED,
    Input.DELIVERED: State.DELIVERED,
    Input.RETURNING: State.RETURNING,
    Input.RETURNED: State.RETURNED,
    Input.LOST: State.LOST,
    Input.DAMAGED: State.DAMAGED,
}
# An input without a rule changes nothing.
TABLE: Mapping[tuple[State, Input], State] = {
    (State.LABELLING, Input.LABEL_OFFERED): State.LABELLING,
    (State.LABELLING, Input.LABEL_BOUGHT): State.LABELLED,
    (State.LABELLING, Input.LABEL_REFUSED): State.LABEL_REFUSED,
    (State.LABELLING, Input.STOPPED): State.LABELLING_STOPPED,
    (State.LABELLING_STOPPED, Input.LABEL_OFFERED): State.STOPPED,
    (State.LABELLING_STOPPED, Input.LABEL_BOUGHT): State.VOIDING,
    (State.LABELLING_STOPPED, Input.LABEL_REFUSED): State.STOPPED,
    (State.LABEL_REFUSED, Input.STOPPED): State.STOPPED,
    (State.LABELLED, Input.PICKED): State.PICKED,
    (State.LABELLED, Input.STOPPED): State.VOIDING,
    (State.LABELLED, Input.AWAITED): State.AWAITED,
    (State.AWAITED, Input.STOPPED): State.VOIDING,
    (State.PICKED, Input.PACKED): State.PACKED,
    (State.PICKED, Input.STOPPED): State.VOIDING,
    (State.PACKED, Input.HANDED_OVER): State.HANDED_OVER,
    (State.PACKED, Input.STOPPED): State.VOIDING,
    (State.VOIDING, Input.LABEL_VOIDED): State.STOPPED,
    (State.VOIDING, Input.LABEL_USED): State.IN_TRANSIT,
    **{(state, said): becomes for state in FOLLOWED for said, becomes in _TRACKED.items()},
}
# What a warehouse does with a parcel, in this order.
BY_HAND = (Input.PICKED, Input.PACKED, Input.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes, or comes from if it is a return's. country is ISO 3166-1 alpha-2."""

    recipient: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Label:
    """What the carrier sold: its own id of it, and what the parcel is followed by."""

    carrier: str
    reference: str
    tracking_number: str
    tracking_url: str
    url: str


NO_LABEL = Label("", "", "", "", "")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Lines of one order that leave one warehouse together; or come back to it, if return_id is not empty.

    vendor_id is whose all of the lines are (empty: the shop's, or not of one vendor). scans counts what the carrier said of its
    way, version its changes.
    """

    id: str
    order_id: str
    user_id: str
    warehouse: str
    state: State
    lines: tuple[Line, ...]
    address: Address
    create_time: datetime
    update_time: datetime
    label: Label = NO_LABEL
    failure_reason: str = ""
    scans: int = 0
    version: int = 1
    vendor_id: str = ""
    service_level: str = tariff.STANDARD
    return_id: str = ""

    @property
    def verb(self) -> Verb | None:
        """What the carrier is being asked to do about its label now, if anything."""
        return VERBS.get(self.state)


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a parcel, who says so, and what belongs to it: the label with its purchase, a place with a scan.

    time is when it happened, where somebody else knows; otherwise it is now.
    """

    input: Input
    actor: str
    label: Label | None = None
    reason: str = ""
    place: str = ""
    time: datetime | None = None


class Silence(StrEnum):
    """No definite answer: it is not known whether the carrier did what it was asked, or it was not asked."""

    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


# What comes of asking the carrier.
Outcome = Happening | Silence


@dataclass(frozen=True, slots=True)
class Scan:
    """What the carrier says of a parcel's way. Its scans are numbered from 1, and never change."""

    number: int
    said: Input
    place: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Scanned:
    """A parcel of which the carrier tells by itself that there is news: by its id or its label's, as far as that is known."""

    parcel_id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a parcel's history. sequence is the parcel's version after it."""

    parcel_id: str
    sequence: int
    state: State
    event: str
    actor: str
    place: str
    reason: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Advance:
    """What happenings made of a parcel: what it was, what it is now, and the entries of its history."""

    before: Parcel
    parcel: Parcel
    entries: tuple[Entry, ...]


def opened(parcel: Parcel) -> Entry:
    """The first entry of a parcel's history."""
    return Entry(parcel.id, parcel.version, parcel.state, "CREATED", "shipping", "", "", parcel.update_time)


def advance(parcel: Parcel, happenings: Sequence[Happening], now: datetime) -> Advance | None:
    """What these happenings make of a parcel, one after the other; None when they change nothing."""
    after, entries = parcel, list[Entry]()
    for happening in happenings:
        becomes = TABLE.get((after.state, happening.input))
        if becomes is None:
            continue
        after = replace(
            after,
            state=becomes,
            label=happening.label or after.label,
            failure_reason=happening.reason or after.failure_reason,
            update_time=now,
            version=after.version + 1,
        )
        happened = happening.time or now
        entries.append(
            Entry(
                after.id,
                after.version,
                after.state,
                happening.input,
                happening.actor,
                happening.place,
                happening.reason,
                happened,
            )
        )
    return Advance(parcel, after, tuple(entries)) if entries else None


def handled(parcel: Parcel, done: Input, actor: str, now: datetime) -> Advance | None:
    """What a warehouse's hand does to a parcel; None when it was done before. Raises SHIPMENT_STATUS_WRONG."""
    moved = advance(parcel, [Happening(done, actor)], now)
    if moved is None and not _done_before(parcel, done):
        said = "the shipment is not in the state that this step begins with"
        raise errors.precondition("SHIPMENT_STATUS_WRONG", said, shipment_id=parcel.id, status=parcel.state)
    return moved


def _done_before(parcel: Parcel, done: Input) -> bool:
    behind = {State.PICKED, State.PACKED} if done is Input.PICKED else {State.PACKED} if done is Input.PACKED else set()
    return parcel.state in behind | LEFT


def labelled(parcel: Parcel, label: Label, now: datetime, *, automatic: bool) -> Advance | None:
    """What a bought label makes of a parcel. automatic: nobody picks and packs by hand, and the carrier has it at once.

    The label of a return is given to its customer in any case.
    """
    bought = Happening(Input.LABEL_BOUGHT, label.carrier, label=label)
    by_itself = [Happening(done, "automatic") for done in BY_HAND] if automatic else []
    if parcel.return_id:
        by_itself = [Happening(Input.AWAITED, "shipping")]
    return advance(parcel, [bought, *by_itself], now)


def tracked(parcel: Parcel, scans: Sequence[Scan], now: datetime) -> Advance | None:
    """What the carrier's scans make of a parcel; None when none of them is new.

    Scans that were seen before are passed over, and so is what is said of a parcel that has arrived.
    """
    new = [scan for scan in scans if scan.number > parcel.scans]
    if not new or parcel.state not in FOLLOWED:
        return None
    carrier = parcel.label.carrier
    said = [Happening(scan.said, carrier, place=scan.place, time=scan.time) for scan in new]
    moved = advance(parcel, said, now)
    assert moved  # noqa: S101 - each scan has a rule for each state of a parcel that is followed
    return replace(moved, parcel=replace(moved.parcel, scans=new[-1].number))
