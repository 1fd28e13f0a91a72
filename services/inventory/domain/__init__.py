"""The values of stock, and the rules of its levels.

Who gets what is decided in `allocation`, by how far warehouses are, which `nearness` tells. `history`: what happened.
`supplies`: goods on their way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.chassis import errors

# Below how many a SKU counts as low, unless somebody said otherwise.
LOW_BELOW = 5
# More than any shelf holds, and far from what sums of a bigint can hold.
MOST_ON_HAND = 10**9


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
    """What lies at a place, and how many of it are promised to orders. low_below is the SKU's threshold."""

    sku: str
    warehouse: str
    on_hand: int
    reserved: int
    low_below: int = field(default=LOW_BELOW, compare=False)

    @property
    def available(self) -> int:
        """How many can still be promised."""
        return self.on_hand - self.reserved

    @property
    def place(self) -> Place:
        """Where it lies."""
        return Place(self.sku, self.warehouse)


class Destination(NamedTuple):
    """Where an order goes: its country and region, as addresses write them. Empty: not known."""

    country: str
    region: str


NOWHERE = Destination("", "")


@dataclass(frozen=True, slots=True)
class Want:
    """What an order asks for, SKU to quantity, and where it goes."""

    order_id: str
    lines: Mapping[str, int]
    destination: Destination = NOWHERE


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
class Confirmation:
    """A confirmed order: what is held for it leaves the shelf."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancelled order: what is held or was taken for it comes back."""

    order_id: str


@dataclass(frozen=True, slots=True)
class GoodsReturned:
    """What came back of an order and can be sold again, SKU to quantity, and where it is: empty if nobody said."""

    return_id: str
    order_id: str
    resell: Mapping[str, int]
    warehouse: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU of which fewer were left than an order asked for."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of what is on hand at a place: why, by whom or what, and in whose words."""

    sku: str
    warehouse: str
    delta: int
    reason: str
    reference: str
    note: str = ""

    @property
    def place(self) -> Place:
        """Where it happened."""
        return Place(self.sku, self.warehouse)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """So many more or fewer at a place, who says so, and why. request_id is empty when the caller will not repeat the call."""

    place: Place
    delta: int
    note: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Point:
    """A point on the globe, in degrees north and east."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place where stock lies. Among equals, stock is taken from the lowest preference first.

    country and region are as addresses write them; what is not known is empty.
    """

    id: str
    title: str
    preference: int
    country: str = ""
    region: str = ""
    location: Point | None = None


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
    """The held stock of a confirmed order left the shelf: so much from there."""

    order_id: str
    picks: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class StockLevelChanged:
    """What lies at a place, or how many of it are promised, is not what was last said of it."""

    level: Level


@dataclass(frozen=True, slots=True)
class StockLevelLow:
    """What can still be promised of a SKU fell below its threshold."""

    sku: str
    available: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a batch of orders got: holds for those that got everything, shortages for those that got nothing."""

    holds: tuple[Hold, ...]
    rejected: Mapping[str, tuple[Shortage, ...]]


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
            "the stock cannot be less than what is reserved for orders",
            sku=level.sku,
            warehouse=level.warehouse,
            reserved=str(level.reserved),
        )
    return replace(level, on_hand=on_hand)


def adjusted(level: Level, delta: int) -> Level:
    """The level with so many more or fewer on the shelf. Raises STOCK_BELOW_RESERVED or STOCK_TOO_LARGE."""
    after = level.on_hand + delta
    if after > MOST_ON_HAND:
        message = f"the stock of a SKU in a warehouse can be at most {MOST_ON_HAND}"
        raise errors.precondition("STOCK_TOO_LARGE", message, sku=level.sku, warehouse=level.warehouse)
    return corrected(level, after)


def fallen_low(levels: Sequence[Level], taken: Mapping[Place, int]) -> list[StockLevelLow]:
    """The SKUs of which so many less can be promised now that they are below their thresholds, and were not before.

    levels are all levels of these SKUs before it.
    """
    available: dict[str, int] = {}
    low_below: dict[str, int] = {}
    for level in levels:
        available[level.sku] = available.get(level.sku, 0) + level.available
        low_below[level.sku] = level.low_below
    left = dict(available)
    for place, quantity in taken.items():
        left[place.sku] -= quantity
    return [
        StockLevelLow(sku, left[sku], low_below[sku])
        for sku in available
        if left[sku] < low_below[sku] <= available[sku]
    ]
