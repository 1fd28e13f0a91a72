"""How far a warehouse is from an address: where both are on the globe, as far as that is known."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.inventory.domain import NOWHERE, Destination, Point, Warehouse

# Kilometres. What differs by less is the same distance, and the preference decides.
BAND_KM = 50.0
_EARTH_KM = 6371.0
# Of somewhere unknown: farther than anything on the globe.
UNKNOWN = 10**6
# Destinations whose distances are kept; more start anew.
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """A country (no region), or one of its regions by code and name, and the point that stands for all of it."""

    country: str
    region: str
    name: str
    point: Point


class Atlas:
    """Where countries and their regions are."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._points: dict[Destination, Point] = {}
        for each in known:
            for called in (each.region, each.name):
                self._points.setdefault(Destination(each.country, called.casefold()), each.point)

    def point(self, country: str, region: str) -> Point | None:
        """Where a region is, by code or name, or else its country; None for what is not in the atlas."""
        found = self._points.get(Destination(country, region.strip().casefold()))
        return found or self._points.get(Destination(country, ""))


EMPTY = Atlas(())


def kilometres(one: Point, other: Point) -> float:
    """The way between two points along the globe."""
    north, far_north = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = math.sin(0.5 * (far_north - north)) ** 2 + math.cos(north) * math.cos(far_north) * math.sin(0.5 * east) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


# How far, in bands, an address is from each warehouse; in the order in which they are taken from.
Ranking = Mapping[str, int]
Rank = Callable[[Destination], Ranking]


@dataclass(slots=True)
class Network:
    """The warehouses as a whole: from which of them an address is served first. They are in order of preference."""

    warehouses: Sequence[Warehouse]
    atlas: Atlas
    ids: frozenset[str] = field(init=False)
    _rankings: dict[Destination, Ranking] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = frozenset(warehouse.id for warehouse in self.warehouses)

    def rank(self, destination: Destination) -> Ranking:
        """All warehouses with how far they are from there in bands, the nearest first, among equals the preferred."""
        ranking = self._rankings.get(destination)
        if ranking is None:
            if len(self._rankings) >= _KEPT:
                self._rankings.clear()
            ranking = self._rankings[destination] = self._ranked(destination)
        return ranking

    def _ranked(self, destination: Destination) -> Ranking:
        there = None if destination == NOWHERE else self.atlas.point(destination.country, destination.region)
        bands = {warehouse.id: self._band(there, warehouse) for warehouse in self.warehouses}
        return dict(sorted(bands.items(), key=lambda item: item[1]))

    def _band(self, there: Point | None, warehouse: Warehouse) -> int:
        here = warehouse.location or self.atlas.point(warehouse.country, warehouse.region)
        return UNKNOWN if there is None or here is None else int(kilometres(there, here) // BAND_KM)
