"""Goods on their way: sent from one warehouse to another (a transfer), or ordered from a supplier (a restock order)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.chassis import errors
from services.inventory.domain import Movement


class Kind(StrEnum):
    """Where goods come from. The words are those of SQL."""

    TRANSFER = "TRANSFER"
    RESTOCK = "RESTOCK"


class State(StrEnum):
    """Where they are. The words are those of SQL and of the contract."""

    UNDER_WAY = "UNDER_WAY"
    ARRIVED = "ARRIVED"
    ENDED = "ENDED"
    RETURNED_TO_SOURCE = "RETURNED_TO_SOURCE"


# The reasons of their movements.
REASONS = {Kind.TRANSFER: "transferred", Kind.RESTOCK: "received"}


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a SKU were sent, and so many of them have arrived."""

    sku: str
    quantity: int
    received: int = 0

    @property
    def missing(self) -> int:
        """How many have not arrived."""
        return self.quantity - self.received


@dataclass(frozen=True, slots=True)
class Supply:
    """Goods on their way. source is a warehouse or, of a restock order, a supplier."""

    id: str
    kind: Kind
    source: str
    target: str
    state: State
    expected_time: datetime | None
    note: str
    actor: str
    create_time: datetime
    update_time: datetime
    lines: tuple[Line, ...]

    @property
    def missing(self) -> dict[str, int]:
        """What has not arrived, by SKU."""
        return {line.sku: line.missing for line in self.lines if line.missing}


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to send or to order. request_id is empty when the caller will not repeat the call."""

    kind: Kind
    source: str
    target: str
    lines: Mapping[str, int]
    expected_time: datetime | None
    note: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""

    @property
    def warehouses(self) -> set[str]:
        """The warehouses that it is about."""
        return {self.target, self.source} if self.kind is Kind.TRANSFER else {self.target}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What somebody says has arrived of a supply; no lines: all that was missing."""

    id: str
    kind: Kind
    lines: Mapping[str, int]
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


def begun(draft: Draft, supply_id: str, now: datetime) -> Supply:
    """The supply that a draft becomes. Raises WAREHOUSE_SAME."""
    if draft.kind is Kind.TRANSFER and draft.source == draft.target:
        wrong = errors.Violation("to_warehouse", "must not be the warehouse that the goods leave", "WAREHOUSE_SAME")
        raise errors.invalid("WAREHOUSE_SAME", "a transfer goes to another warehouse", wrong)
    return Supply(
        id=supply_id,
        kind=draft.kind,
        source=draft.source,
        target=draft.target,
        state=State.UNDER_WAY,
        expected_time=draft.expected_time,
        note=draft.note,
        actor=draft.actor,
        create_time=now,
        update_time=now,
        lines=tuple(Line(sku, quantity) for sku, quantity in sorted(draft.lines.items())),
    )


def received(supply: Supply, arrived: Mapping[str, int], now: datetime) -> Supply:
    """The supply when these have arrived. Raises SUPPLY_ENDED, SKU_NOT_EXPECTED or RECEIVED_TOO_MUCH."""
    _check_under_way(supply)
    sent = {line.sku: line for line in supply.lines}
    for sku, quantity in arrived.items():
        if sku not in sent:
            raise errors.precondition("SKU_NOT_EXPECTED", f"{sku} was not among what was sent", sku=sku)
        if quantity > sent[sku].missing:
            said = f"only {sent[sku].missing} of {sku} have not arrived yet"
            raise errors.precondition("RECEIVED_TOO_MUCH", said, sku=sku, missing=str(sent[sku].missing))
    lines = tuple(replace(line, received=line.received + arrived.get(line.sku, 0)) for line in supply.lines)
    state = State.UNDER_WAY if any(line.missing for line in lines) else State.ARRIVED
    return replace(supply, lines=lines, state=state, update_time=now)


def ended(supply: Supply, now: datetime, *, returned: bool) -> Supply:
    """The supply when what is missing will not come, or went back. Raises SUPPLY_ENDED if it ended otherwise."""
    state = State.RETURNED_TO_SOURCE if returned else State.ENDED
    if supply.state is state:
        return supply
    _check_under_way(supply)
    return replace(supply, state=state, update_time=now)


def expected(supply: Supply, when: datetime | None, now: datetime) -> Supply:
    """The supply with another date. Raises SUPPLY_ENDED."""
    _check_under_way(supply)
    return replace(supply, expected_time=when, update_time=now)


def moved(supply: Supply, quantities: Mapping[str, int], warehouse: str, *, sign: int) -> list[Movement]:
    """The movements that bring these to a warehouse (sign 1), or take them from it (-1)."""
    reason = REASONS[supply.kind]
    return [Movement(sku, warehouse, sign * quantity, reason, supply.id) for sku, quantity in quantities.items()]


def _check_under_way(supply: Supply) -> None:
    if supply.state is not State.UNDER_WAY:
        raise errors.precondition("SUPPLY_ENDED", "all of it has arrived, or it was ended", state=supply.state)
