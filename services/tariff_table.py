"""Values of `tariff` as messages of the contract, and back: the table, which shipping renders and order reads, and packages."""

from google.type import money_pb2

from services import tariff
from services.chassis import money
from services.chassis.rpc import render
from souk.catalog.v1 import product_pb2
from souk.shipping.v1 import rates_pb2


def parse(message: rates_pb2.RateTable) -> tariff.Table:
    """The table in a message. Raises MONEY_INVALID, which names the field."""
    return tariff.Table(
        version=message.version,
        zones=tuple(_zone(f"table.zones[{number}]", zone) for number, zone in enumerate(message.zones)),
        cm3_per_kg=message.cubic_centimetres_per_kilogram,
        default_grams=message.default_grams,
    )


def package(offer: product_pb2.Offer) -> tariff.Package:
    """How a unit of an offer of the catalog is packed."""
    if not offer.HasField("package"):
        return tariff.UNKNOWN
    said = offer.package
    return tariff.Package(said.grams, said.length_mm, said.width_mm, said.height_mm)


def rendered(table: tariff.Table) -> rates_pb2.RateTable:
    """The message for a table."""
    return rates_pb2.RateTable(
        version=table.version,
        zones=[
            rates_pb2.Zone(name=zone.name, places=zone.places, rates=[_of_rate(rate) for rate in zone.rates])
            for zone in table.zones
        ],
        cubic_centimetres_per_kilogram=table.cm3_per_kg,
        default_grams=table.default_grams,
    )


def _zone(field: str, zone: rates_pb2.Zone) -> tariff.Zone:
    rates = tuple(_rate(f"{field}.rates[{number}]", rate) for number, rate in enumerate(zone.rates))
    return tariff.Zone(zone.name, tuple(zone.places), rates)


def _rate(field: str, rate: rates_pb2.Rate) -> tariff.Rate:
    prices = [render.money_sent(f"{field}.bands[{number}].price", band.price) for number, band in enumerate(rate.bands)]
    free_from = render.money_sent(f"{field}.free_from", rate.free_from) if rate.HasField("free_from") else None
    # One currency for a rate: without one, the table is refused.
    return tariff.Rate(
        service_level=rates_pb2.ServiceLevel.Name(rate.service_level),
        currency=prices[0].currency if len({price.currency for price in (*prices, free_from) if price}) == 1 else "",
        bands=tuple(
            tariff.Band(band.up_to_grams or None, price.amount) for band, price in zip(rate.bands, prices, strict=True)
        ),
        free_from=free_from.amount if free_from else None,
    )


def _of_rate(rate: tariff.Rate) -> rates_pb2.Rate:
    return rates_pb2.Rate(
        service_level=rates_pb2.ServiceLevel.Value(rate.service_level),
        bands=[
            rates_pb2.Rate.Band(up_to_grams=band.up_to_grams or 0, price=_of_amount(rate, band.price))
            for band in rate.bands
        ],
        free_from=None if rate.free_from is None else _of_amount(rate, rate.free_from),
    )


def _of_amount(rate: tariff.Rate, amount: int) -> money_pb2.Money:
    return render.money_message(money.Money(rate.currency, amount))
