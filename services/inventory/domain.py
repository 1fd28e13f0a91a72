"""Who gets what: allocation as a pure function over a batch of orders, and the values of stock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis import errors


class HoldStatus(StrEnum):
    """Where a reservation is. The words are those of SQL."""

    HELD = "HELD"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"
    RETURNED = "RETURNED"


class Cause(StrEnum):
    """Why stock was given back. The words are those of the contract."""

    ORDER_CANCELLED = "ORDER_CANCELLED"
    HOLD_EXPIRED = "HOLD_EXPIRED"


@dataclass(frozen=True, slots=True)
class Place:
    """One SKU in one warehouse: a row of stock."""

    sku: str
    warehouse: str


@dataclass(frozen=True, slots=True)
class Level:
    """What lies at a place, and how many of it are promised to orders."""

    sku: str
    warehouse: str
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """How many can still be promised."""
        return self.on_hand - self.reserved

    @property
    def place(self) -> Place:
        """Where it lies."""
        return Place(self.sku, self.warehouse)


@dataclass(frozen=True, slots=True)
class Want:
    """What an order asks for: SKU to quantity."""

    order_id: str
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Hold:
    """So many of a SKU, in one warehouse, for one order."""

    order_id: str
    sku: str
    warehouse: str
    quantity: int

    @property
    def place(self) -> Place:
        """Where it lies."""
        return Place(self.sku, self.warehouse)


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU of which fewer were left than an order asked for."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of what is on hand at a place: why, and by whom or what."""

    sku: str
    warehouse: str
    delta: int
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class StockReserved:
    """All lines of an order are held."""

    order_id: str
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class StockRejected:
    """An order cannot be held, and nothing of it is."""

    order_id: str
    shortages: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True)
class StockReleased:
    """Nothing is held or taken for an order any more."""

    order_id: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class StockCommitted:
    """The held stock of a confirmed order left the shelf."""

    order_id: str


@dataclass(frozen=True, slots=True)
class StockLevelChanged:
    """Someone corrected what lies at a place."""

    level: Level


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a batch of orders got: holds for those that got everything, shortages for those that got nothing."""

    holds: tuple[Hold, ...]
    rejected: Mapping[str, tuple[Shortage, ...]]


def allocate(wants: Sequence[Want], levels: Sequence[Level]) -> Allocation:
    """Grant each order all of its lines or none, in the order they came, from what is available.

    levels is in order of preference among warehouses. A warehouse that has the whole order is preferred; otherwise
    each line is taken where there is some. What is granted to one order is not there for the next.
    """
    free: dict[str, dict[str, int]] = {}
    for level in levels:
        free.setdefault(level.sku, {})[level.warehouse] = level.available
    holds: list[Hold] = []
    rejected: dict[str, tuple[Shortage, ...]] = {}
    for want in wants:
        shortages = _shortages(want, free)
        if shortages:
            rejected[want.order_id] = shortages
            continue
        for hold in _grant(want, free):
            free[hold.sku][hold.warehouse] -= hold.quantity
            holds.append(hold)
    return Allocation(tuple(holds), rejected)


def _shortages(want: Want, free: Mapping[str, Mapping[str, int]]) -> tuple[Shortage, ...]:
    available = {sku: sum(free.get(sku, {}).values()) for sku in want.lines}
    return tuple(Shortage(sku, asked, available[sku]) for sku, asked in want.lines.items() if available[sku] < asked)


def _grant(want: Want, free: Mapping[str, Mapping[str, int]]) -> list[Hold]:
    first = next(iter(want.lines))
    for warehouse in free[first]:
        if all(free[sku].get(warehouse, 0) >= quantity for sku, quantity in want.lines.items()):
            return [Hold(want.order_id, sku, warehouse, quantity) for sku, quantity in want.lines.items()]
    return [hold for sku, quantity in want.lines.items() for hold in _spread(want.order_id, sku, quantity, free[sku])]


def _spread(order_id: str, sku: str, quantity: int, free: Mapping[str, int]) -> list[Hold]:
    holds = []
    for warehouse, available in free.items():
        taken = min(quantity, available)
        if taken > 0:
            holds.append(Hold(order_id, sku, warehouse, taken))
            quantity -= taken
    return holds


def totals(holds: Sequence[Hold]) -> dict[Place, int]:
    """How many of each place are in these holds."""
    result: dict[Place, int] = {}
    for hold in holds:
        result[hold.place] = result.get(hold.place, 0) + hold.quantity
    return result


def corrected(level: Level, on_hand: int) -> Level:
    """The level with another count on the shelf. Raises STOCK_BELOW_RESERVED below what is promised."""
    if on_hand < level.reserved:
        raise errors.precondition(
            "STOCK_BELOW_RESERVED",
            "fewer than what orders hold",
            sku=level.sku,
            warehouse=level.warehouse,
            reserved=str(level.reserved),
        )
    return Level(level.sku, level.warehouse, on_hand, level.reserved)
