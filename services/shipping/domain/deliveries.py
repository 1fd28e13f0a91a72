"""The delivery of an order: what was heard of it, the parcels that it becomes, and what others are told of them.

An order that was confirmed names its address, the inventory the warehouses. Whichever is heard first waits for the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services import tariff
from services.chassis import ids
from services.shipping.domain import parcels
from services.shipping.domain.parcels import Address, Parcel, State


@dataclass(frozen=True, slots=True)
class Terms:
    """How an order is sent: how fast, and who sells what of it. SKUs of the shop itself are not in vendors."""

    service_level: str = tariff.STANDARD
    vendors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An order that is to be sent: to whom, where, and how."""

    order_id: str
    user_id: str
    address: Address
    confirm_time: datetime
    terms: Terms


@dataclass(frozen=True, slots=True)
class Pick:
    """So many of a SKU, from one warehouse."""

    sku: str
    quantity: int
    warehouse: str


@dataclass(frozen=True, slots=True)
class Picks:
    """Where the lines of an order come from."""

    order_id: str
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """An order of which nothing more is to be sent."""

    order_id: str


@dataclass(frozen=True, slots=True)
class StopRequest:
    """An order that is to be cancelled, if nothing of it has left."""

    order_id: str


@dataclass(frozen=True, slots=True)
class ReturnGranted:
    """Units of an order that its customer may send back."""

    order_id: str
    return_id: str
    lines: tuple[parcels.Line, ...]


@dataclass(frozen=True, slots=True)
class ReturnOver:
    """A return for which nothing is to be sent any more: its goods are there, or it was refused after all."""

    order_id: str
    return_id: str


# What others say of an order.
Said = Confirmation | Picks | Cancellation | StopRequest | ReturnGranted | ReturnOver


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is known of an order so far. stopped: no parcel of it may be opened any more."""

    order_id: str
    user_id: str | None = None
    address: Address | None = None
    confirm_time: datetime | None = None
    picks: tuple[Pick, ...] = ()
    stopped: bool = False
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that others are told about a parcel, and when it was. complete: it is so for all parcels of the order."""

    parcel: Parcel
    time: datetime
    complete: bool = False


class ShipmentCreated(Fact):
    """A parcel was opened."""


class ShipmentHandedOver(Fact):
    """The carrier has a parcel."""


class ShipmentDelivered(Fact):
    """The recipient has a parcel."""


class ShipmentDeliveryFailed(Fact):
    """A parcel could not be delivered this time."""


class ShipmentUndeliverable(Fact):
    """A parcel will not reach its recipient unless a person acts."""


class ReturnLabelled(Fact):
    """The label of a return's parcel is there for its customer."""


class ReturnArrived(Fact):
    """A return's parcel is at its warehouse."""


class ReturnUndeliverable(Fact):
    """A return's parcel will not reach its warehouse unless a person acts."""


@dataclass(frozen=True, slots=True)
class ShipmentsStopped:
    """Nothing of an order has left, and nothing will."""

    order_id: str


@dataclass(frozen=True, slots=True)
class StopRefused:
    """Something of an order has left: it goes on."""

    order_id: str
    reason: str = "HANDED_OVER"


# What is told of a parcel that came into one of these states, if it was in none of that kind before.
_TOLD: Mapping[type[Fact], frozenset[State]] = {
    ShipmentHandedOver: parcels.LEFT,
    ShipmentDelivered: frozenset({State.DELIVERED}),
    ShipmentDeliveryFailed: frozenset({State.DELIVERY_FAILED}),
    ShipmentUndeliverable: parcels.UNDELIVERABLE,
}
_TOLD_OF_RETURNS: Mapping[type[Fact], frozenset[State]] = {
    ReturnLabelled: frozenset({State.AWAITED}),
    ReturnArrived: frozenset({State.DELIVERED}),
    ReturnUndeliverable: parcels.UNDELIVERABLE,
}
# What is true of all parcels of an order from some moment on, and is told with whichever makes it so.
_COMPLETED = frozenset({ShipmentHandedOver, ShipmentDelivered})


def opened(delivery: Delivery, now: datetime) -> list[Parcel]:
    """The parcels of an order of which everything is known: one for each warehouse. None for one that was stopped.

    A parcel is named by its order and its warehouse: opened again, after the database was restored, it is the same one.
    """
    if delivery.stopped or not delivery.address or not delivery.user_id:
        return []
    by_warehouse: dict[str, dict[str, int]] = {}
    for pick in delivery.picks:
        lines = by_warehouse.setdefault(pick.warehouse, {})
        lines[pick.sku] = lines.get(pick.sku, 0) + pick.quantity
    return [
        Parcel(
            id=ids.beneath(delivery.order_id, f"parcel:{warehouse}"),
            order_id=delivery.order_id,
            user_id=delivery.user_id,
            warehouse=warehouse,
            state=State.LABELLING,
            lines=tuple(parcels.Line(sku, quantity) for sku, quantity in sorted(lines.items())),
            address=delivery.address,
            create_time=min(delivery.confirm_time or now, now),
            update_time=now,
            vendor_id=_seller(delivery.terms, lines),
            service_level=delivery.terms.service_level,
        )
        for warehouse, lines in sorted(by_warehouse.items())
    ]


def returning(delivery: Delivery, granted: ReturnGranted, now: datetime) -> list[Parcel]:
    """The parcels that bring a return back: each unit to a warehouse that sent such. None where nobody knows from where.

    Like those of an order they are named by what they belong to. An erased customer has no address to send from.
    """
    if not delivery.address or not delivery.address.line1:
        return []
    terms = replace(delivery.terms, service_level=tariff.STANDARD)
    picks = tuple(_sources(delivery.picks, granted.lines))
    back = replace(delivery, picks=picks, confirm_time=now, terms=terms, stopped=False)
    return [
        replace(parcel, id=ids.beneath(granted.return_id, f"parcel:{parcel.warehouse}"), return_id=granted.return_id)
        for parcel in opened(back, now)
    ]


def _sources(picks: Sequence[Pick], lines: Sequence[parcels.Line]) -> Iterator[Pick]:
    """From which warehouses these units came, in the order of the picks."""
    wanted = {line.sku: line.quantity for line in lines}
    for pick in picks:
        if taken := min(wanted.get(pick.sku, 0), pick.quantity):
            yield replace(pick, quantity=taken)
            wanted[pick.sku] -= taken


def sent(of_order: Iterable[Parcel]) -> list[Parcel]:
    """The parcels that go to the customer, without those of returns."""
    return [parcel for parcel in of_order if not parcel.return_id]


def _seller(terms: Terms, skus: Iterable[str]) -> str:
    """The vendor of all of these; empty when there is not one."""
    vendors = {terms.vendors.get(sku, "") for sku in skus}
    return vendors.pop() if len(vendors) == 1 else ""


def can_stop(of_order: Sequence[Parcel]) -> bool:
    """Whether nothing of the order has left: the carrier has none of its parcels."""
    return not any(parcel.state in parcels.LEFT for parcel in of_order)


def created(new: Sequence[Parcel]) -> list[Fact]:
    """What is told of the parcels of one order that were opened together: with the last of them it is all."""
    return [ShipmentCreated(parcel, parcel.update_time, complete=parcel is new[-1]) for parcel in new]


def told(moved: Sequence[parcels.Advance], of_order: Sequence[Parcel]) -> Iterator[Fact]:
    """What is told of parcels of one order that moved. of_order are all that go to its customer, as they are now."""
    for advance in moved:
        for kind, states in (_TOLD_OF_RETURNS if advance.parcel.return_id else _TOLD).items():
            came = next((entry.time for entry in advance.entries if entry.state in states), None)
            if came and advance.before.state not in states:
                yield _fact(kind, advance.parcel, came, of_order)


def again(of_order: Sequence[Parcel]) -> Iterator[Fact]:
    """What is true of all of an order's parcels, for an order that asks again."""
    yield from created(of_order)
    for kind in (ShipmentHandedOver, ShipmentDelivered):
        facts = [_fact(kind, parcel, parcel.update_time, of_order) for parcel in of_order]
        yield from (fact for fact in facts if fact.complete)


def _fact(kind: type[Fact], parcel: Parcel, time: datetime, of_order: Sequence[Parcel]) -> Fact:
    return kind(parcel, time, complete=kind in _COMPLETED and all(one.state in _TOLD[kind] for one in of_order))
