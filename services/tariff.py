"""What it costs to ship something: zones, weight bands, service levels, free shipping. Pure rules, and values.

Shipping keeps the table and answers quotes by it; the order service remembers the table and charges by the same rules, so that
accepting orders asks nobody. That is why they are here, where both can see them. `tariff_table` is the table as a message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.chassis import money

# The service level of who names none.
STANDARD = "STANDARD"
# Every place that no zone names.
ANYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Package:
    """One unit as it is packed: grams, and millimetres of each side; 0 where that is not known."""

    grams: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0


UNKNOWN = Package()


@dataclass(frozen=True, slots=True)
class Band:
    """What parcels of up to so many grams cost, in minor units. up_to_grams is None for those of any weight."""

    up_to_grams: int | None
    price: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What a service level costs in a zone, for goods of one currency: bands by weight, ascending.

    free_from is the price of the goods, in minor units, from which on it costs nothing (None: never).
    """

    service_level: str
    currency: str
    bands: tuple[Band, ...]
    free_from: int | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """Places with the same rates. A place is a country (`DE`), a region of one (`US-AK`), or `*`."""

    name: str
    places: tuple[str, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All rates. cm3_per_kg is by how much space a parcel counts as a kilogram (0: only its weight counts).

    default_grams is what a unit weighs of which that is not known.
    """

    version: int = 0
    zones: tuple[Zone, ...] = ()
    cm3_per_kg: int = 0
    default_grams: int = 0


class Tariff:
    """A table, ready to be asked. One without zones is a shop that ships everything at STANDARD for free."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._zones = {place: zone for zone in table.zones for place in zone.places}

    def grams(self, packages: Iterable[tuple[Package, int]]) -> int:
        """What these units, each with its quantity, count as: the weight of each or, if that is more, that of its space."""
        return sum(self._unit_grams(package) * quantity for package, quantity in packages)

    def cost(self, place: tuple[str, str], goods: money.Money, grams: int, level: str) -> money.Money | None:
        """What it costs to ship goods of this price and weight to a country and region; None if they are not shipped so."""
        return self.costs(place, goods, grams).get(level)

    def costs(self, place: tuple[str, str], goods: money.Money, grams: int) -> Mapping[str, money.Money]:
        """What each service level costs that reaches this country and region with goods of this price and weight."""
        if not self.table.zones:
            return {STANDARD: money.Money(goods.currency, 0)}
        zone = self._zone(*place)
        found = ((rate.service_level, _price(rate, goods, grams)) for rate in (zone.rates if zone else ()))
        return {level: price for level, price in found if price is not None}

    def _zone(self, country: str, region: str) -> Zone | None:
        """The zone of the region if it has one, else of the country, else of everywhere."""
        zones = self._zones
        return zones.get(f"{country}-{region}".upper()) or zones.get(country.upper()) or zones.get(ANYWHERE)

    def _unit_grams(self, package: Package) -> int:
        weight = package.grams or self.table.default_grams
        if not self.table.cm3_per_kg:
            return weight
        space = package.length_mm * package.width_mm * package.height_mm
        # A cubic millimetre is a thousandth of a cubic centimetre, as a gram is of a kilogram. Rounded up.
        return max(weight, -(-space // self.table.cm3_per_kg))


def _price(rate: Rate, goods: money.Money, grams: int) -> money.Money | None:
    if rate.currency != goods.currency:
        return None
    band = next((band for band in rate.bands if band.up_to_grams is None or grams <= band.up_to_grams), None)
    if band is None:
        return None
    free = rate.free_from is not None and goods.amount >= rate.free_from
    return money.Money(rate.currency, 0 if free else band.price)
