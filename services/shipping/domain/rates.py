"""Which tables of rates make sense, and what items are refused in a quote. What a table says is `services/tariff.py`'s."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services import tariff
from services.chassis import errors, money


@dataclass(frozen=True, slots=True)
class Kept:
    """A table with who set it, and when. One that was never set has neither."""

    table: tariff.Table
    actor: str = ""
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A SKU and its quantity."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Good:
    """What the catalog says of a SKU: the price of a unit, and how it is packed."""

    price: money.Money
    package: tariff.Package = tariff.UNKNOWN


@dataclass(frozen=True, slots=True)
class Priced:
    """How some items can be shipped: what each service level costs, cheapest first, and what they count as."""

    options: tuple[tuple[str, money.Money], ...]
    grams: int


def check(table: tariff.Table) -> None:
    """Raise RATES_INVALID, naming each thing that makes no sense."""
    wrong = [*_of_zones(table.zones), *_of_rates(table.zones)]
    if wrong:
        raise errors.invalid("RATES_INVALID", "the rates make no sense", *wrong)


def changed(version: int) -> errors.DomainError:
    """Somebody else set rates since the caller looked."""
    said = f"the rates were changed: they have version {version}"
    return errors.DomainError(errors.Code.ABORTED, "RATES_CHANGED", said, {"version": str(version)})


def quote(rates: tariff.Tariff, place: tuple[str, str], items: Sequence[Item], goods: Mapping[str, Good]) -> Priced:
    """What it costs to ship these items to a country and region. Raises SKU_DUPLICATE, SKU_UNKNOWN or CURRENCY_MIXED."""
    wrong = list(_of_items(items, goods))
    if wrong:
        raise errors.invalid(wrong[0].reason, "some of the items cannot be shipped", *wrong)
    grams = rates.grams((goods[item.sku].package, item.quantity) for item in items)
    price = money.total([goods[item.sku].price * item.quantity for item in items])
    costs = rates.costs(place, price, grams).items()
    return Priced(tuple(sorted(costs, key=lambda option: (option[1].amount, option[0]))), grams)


def _of_items(items: Sequence[Item], goods: Mapping[str, Good]) -> Iterator[errors.Violation]:
    seen: set[str] = set()
    for number, item in enumerate(items):
        field = f"items[{number}].sku"
        if item.sku in seen:
            yield errors.Violation(field, f"{item.sku} appears more than once", "SKU_DUPLICATE")
        elif item.sku not in goods:
            yield errors.Violation(field, f"{item.sku} is not for sale", "SKU_UNKNOWN")
        seen.add(item.sku)


def _of_zones(zones: Sequence[tariff.Zone]) -> Iterator[errors.Violation]:
    names: set[str] = set()
    places: set[str] = set()
    for number, zone in enumerate(zones):
        field = f"table.zones[{number}]"
        if zone.name in names:
            yield errors.Violation(f"{field}.name", f"two zones are called {zone.name}", "ZONE_DUPLICATE")
        for place in zone.places:
            if place.upper() in places:
                yield errors.Violation(f"{field}.places", f"{place} is named twice", "PLACE_DUPLICATE")
            places.add(place.upper())
        names.add(zone.name)


def _of_rates(zones: Sequence[tariff.Zone]) -> Iterator[errors.Violation]:
    for number, zone in enumerate(zones):
        seen: set[tuple[str, str]] = set()
        for position, rate in enumerate(zone.rates):
            field = f"table.zones[{number}].rates[{position}]"
            if (rate.service_level, rate.currency) in seen:
                said = f"there are two rates for {rate.service_level} in {rate.currency}"
                yield errors.Violation(field, said, "RATE_DUPLICATE")
            seen.add((rate.service_level, rate.currency))
            yield from _of_rate(field, rate)


def _of_rate(field: str, rate: tariff.Rate) -> Iterator[errors.Violation]:
    limits = [band.up_to_grams for band in rate.bands]
    weights = [limit for limit in limits if limit is not None]
    if None in limits[:-1] or weights != sorted(set(weights)):
        said = "bands must ascend, and only the last may be for any weight"
        yield errors.Violation(f"{field}.bands", said, "BANDS_UNORDERED")
    if not rate.currency:
        yield errors.Violation(field, "all amounts of a rate must have one currency", "CURRENCY_MIXED")
    if min([band.price for band in rate.bands] + [rate.free_from or 0]) < 0:
        yield errors.Violation(field, "no amount may be less than zero", "AMOUNT_INVALID")
