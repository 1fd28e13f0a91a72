"""The history of stock: its movements as events, what they add up to, and whether that is what is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.inventory.domain import Level, Movement, Place


@dataclass(frozen=True, slots=True)
class Recorded:
    """A movement where it stands in the history. Later movements of a SKU have greater ids."""

    id: int
    movement: Movement
    time: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """A place as it is kept, and as its history says it must be."""

    kept: Level
    recorded: Level

    @property
    def agrees(self) -> bool:
        """Whether the two are the same."""
        return (self.kept.on_hand, self.kept.reserved) == (self.recorded.on_hand, self.recorded.reserved)

    @property
    def possible(self) -> bool:
        """Whether what the history says can be: nothing is promised that is not there."""
        return 0 <= self.recorded.reserved <= self.recorded.on_hand


def compared(kept: Sequence[Level], recorded: Sequence[Level]) -> list[Comparison]:
    """Each place that is kept or that the history knows, by SKU and warehouse. What one of them lacks is nothing."""
    as_kept = {level.place: level for level in kept}
    as_recorded = {level.place: level for level in recorded}
    places = sorted(as_kept.keys() | as_recorded.keys(), key=lambda place: (place.sku, place.warehouse))
    return [Comparison(as_kept.get(place) or _none(place), as_recorded.get(place) or _none(place)) for place in places]


def _none(place: Place) -> Level:
    return Level(place.sku, place.warehouse, 0, 0)
