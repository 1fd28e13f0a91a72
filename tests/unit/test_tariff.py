"""What shipping costs, by zone, weight, space, service level and price of the goods."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import tariff, tariff_table
from services.chassis import errors, money
from services.shipping.domain import rates

USD = 1000


def _rate(level: str, *bands: tuple[int | None, int], free_from: int | None = None) -> tariff.Rate:
    return tariff.Rate(level, "USD", tuple(tariff.Band(*band) for band in bands), free_from)


TABLE = tariff.Table(
    version=3,
    zones=(
        tariff.Zone(
            "home",
            ("US",),
            (_rate("STANDARD", (1000, 500), (5000, 900), free_from=5000), _rate("EXPRESS", (None, 2000))),
        ),
        tariff.Zone("far", ("US-AK",), (_rate("STANDARD", (None, 4000)),)),
        tariff.Zone("world", ("*",), (_rate("STANDARD", (2000, 3000)),)),
    ),
    cm3_per_kg=5000,
    default_grams=250,
)
TARIFF = tariff.Tariff(TABLE)


def _costs(country: str, region: str = "", goods: int = 1000, grams: int = 800) -> dict[str, int]:
    found = TARIFF.costs((country, region), money.Money("USD", goods), grams)
    return {level: price.amount for level, price in found.items()}


def test_a_region_wins_over_its_country_and_a_country_over_everywhere() -> None:
    assert _costs("US", "ak") == {"STANDARD": 4000}
    assert _costs("US", "CA") == {"STANDARD": 500, "EXPRESS": 2000}
    assert _costs("FR") == {"STANDARD": 3000}


def test_the_first_band_that_is_heavy_enough_counts_and_none_is_no_answer() -> None:
    assert [_costs("US", grams=grams).get("STANDARD") for grams in (0, 1000, 1001, 5000, 5001)] == [
        500,
        500,
        900,
        900,
        None,
    ]
    assert _costs("FR", grams=2001) == {}


def test_shipping_is_free_from_the_threshold_on_at_the_level_that_has_one() -> None:
    assert _costs("US", goods=4999) == {"STANDARD": 500, "EXPRESS": 2000}
    assert _costs("US", goods=5000) == {"STANDARD": 0, "EXPRESS": 2000}
    # What is too heavy is not shipped for free either.
    assert _costs("US", goods=5000, grams=6000) == {"EXPRESS": 2000}


def test_goods_of_another_currency_are_not_shipped() -> None:
    assert TARIFF.cost(("US", ""), money.Money("EUR", 1), 1, tariff.STANDARD) is None


def test_an_empty_table_ships_everything_for_free() -> None:
    assert tariff.Tariff(tariff.Table()).costs(("AQ", ""), money.Money("XPF", 5), 10**6) == {
        tariff.STANDARD: money.Money("XPF", 0)
    }


def test_a_unit_counts_as_its_weight_or_its_space_and_as_the_default_when_nothing_is_known() -> None:
    light, dense = tariff.Package(100, 500, 200, 100), tariff.Package(3000, 100, 100, 100)
    # 10,000 cubic centimetres count as 2 kg.
    assert TARIFF.grams([(light, 1)]) == 2000
    assert TARIFF.grams([(light, 2), (dense, 1), (tariff.UNKNOWN, 4)]) == 4000 + 3000 + 1000


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_weight_never_costs_less_while_bands_ascend_in_price(one: int, other: int) -> None:
    light, heavy = sorted((one, other))
    cheap, dear = (_costs("US", "AK", grams=grams)["STANDARD"] for grams in (light, heavy))
    assert cheap <= dear


def test_a_table_is_the_same_after_it_was_a_message() -> None:
    assert tariff_table.parse(tariff_table.rendered(TABLE)) == TABLE


@pytest.mark.parametrize(
    ("zones", "reasons"),
    [
        ((tariff.Zone("a", ("US",), ()), tariff.Zone("a", ("FR",), ())), {"ZONE_DUPLICATE"}),
        ((tariff.Zone("a", ("US-CA",), ()), tariff.Zone("b", ("US-ca",), ())), {"PLACE_DUPLICATE"}),
        ((tariff.Zone("a", ("US",), (_rate("EXPRESS", (None, 1)), _rate("EXPRESS", (5, 1)))),), {"RATE_DUPLICATE"}),
        ((tariff.Zone("a", ("US",), (_rate("EXPRESS", (None, 1), (5, 1)),)),), {"BANDS_UNORDERED"}),
        ((tariff.Zone("a", ("US",), (_rate("EXPRESS", (5, 1), (5, 2)),)),), {"BANDS_UNORDERED"}),
        ((tariff.Zone("a", ("US",), (_rate("EXPRESS", (5, -1)),)),), {"AMOUNT_INVALID"}),
        ((tariff.Zone("a", ("US",), (tariff.Rate("EXPRESS", "", (tariff.Band(5, 1),)),)),), {"CURRENCY_MIXED"}),
    ],
)
def test_a_table_that_makes_no_sense_says_why(zones: tuple[tariff.Zone, ...], reasons: set[str]) -> None:
    with pytest.raises(errors.DomainError, match="RATES_INVALID") as raised:
        rates.check(tariff.Table(zones=zones))
    assert {violation.reason for violation in raised.value.violations} == reasons
    rates.check(TABLE)
