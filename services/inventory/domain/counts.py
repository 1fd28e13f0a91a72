"""Counts: what really lies in a warehouse beside what was recorded, and what becomes of the difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.inventory.domain import MOST_ON_HAND, Level, Movement

REASON = "counted"


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a SKU were recorded at the time of the count, and so many were counted."""

    sku: str
    expected: int
    counted: int
    applied: bool

    @property
    def difference(self) -> int:
        """What was found too much, or is missing (negative)."""
        return self.counted - self.expected


@dataclass(frozen=True, slots=True)
class Count:
    """A count of some SKUs in a warehouse."""

    id: str
    warehouse: str
    note: str
    actor: str
    count_time: datetime
    create_time: datetime
    lines: tuple[Line, ...]

    @property
    def movements(self) -> list[Movement]:
        """What corrects the stock."""
        return [
            Movement(line.sku, self.warehouse, line.difference, REASON, self.id, self.note)
            for line in self.lines
            if line.applied and line.difference
        ]


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody counted, by SKU; count_time is None for now. request_id is empty when the call will not be repeated."""

    warehouse: str
    counted: Mapping[str, int]
    count_time: datetime | None
    note: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


def compared(counted: Mapping[str, int], levels: Mapping[str, Level], moved: Mapping[str, int]) -> tuple[Line, ...]:
    """What was counted beside what was recorded then: what lies there now, without what moved since, by SKU.

    A difference that would leave less than orders hold is told and not applied.
    """
    return tuple(_line(sku, counted[sku], levels[sku], moved.get(sku, 0)) for sku in sorted(counted))


def _line(sku: str, counted: int, level: Level, moved: int) -> Line:
    after = counted + moved
    return Line(sku, level.on_hand - moved, counted, applied=level.reserved <= after <= MOST_ON_HAND)
