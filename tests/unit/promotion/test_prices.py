"""Which promotional prices make sense, and when they hold."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis import errors, money
from services.promotion.domain import prices, promotions

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
REGULAR = {"TEA": money.Money("EUR", 500), "POT": money.Money("EUR", 2000), "CUP": money.Money("USD", 900)}


def price(cents: int = 400, *, sku: str = "", currency: str = "EUR", **window: str) -> prices.PromotionalPrice:
    terms = prices.Terms(money.Money(currency, cents), "Week", promotions.Window(**window))
    return prices.new("id", prices.Draft("product", sku, terms, "admin"), shop_zone="Europe/Berlin", now=NOW)


def refusal(make: Any) -> tuple[str, str]:
    with pytest.raises(errors.DomainError) as caught:
        make()
    [violation] = caught.value.violations
    return caught.value.reason, violation.field


def test_a_window_is_in_the_time_of_the_shop_unless_it_says_otherwise() -> None:
    week: dict[str, Any] = {"start_local": "2026-11-27T00:00", "end_local": "2026-12-01T00:00"}
    here, there = price(**week), price(**week, time_zone="America/New_York")
    assert (here.start_time, here.end_time) == (
        datetime(2026, 11, 26, 23, tzinfo=UTC),
        datetime(2026, 11, 30, 23, tzinfo=UTC),
    )
    assert there.start_time == datetime(2026, 11, 27, 5, tzinfo=UTC)


def test_without_a_window_it_starts_now_and_ends_by_hand() -> None:
    assert (price().start_time, price().end_time) == (NOW, None)


@pytest.mark.parametrize(
    ("window", "reason", "field"),
    [
        ({"end_local": "2026-11-01T12:00"}, "WINDOW_INVALID", "end_local"),
        ({"start_local": "2026-12-02T00:00", "end_local": "2026-12-01T00:00"}, "WINDOW_INVALID", "end_local"),
        ({"start_local": "2026-02-30T00:00"}, "WINDOW_INVALID", "start_local"),
        ({"time_zone": "Mars/Olympus"}, "TIME_ZONE_UNKNOWN", "time_zone"),
    ],
)
def test_a_window_that_never_holds_is_refused(window: dict[str, Any], reason: str, field: str) -> None:
    assert refusal(lambda: price(**window)) == (reason, field)


def test_a_price_is_more_than_nothing() -> None:
    assert refusal(lambda: price(0)) == ("AMOUNT_INVALID", "price")


def test_it_must_be_lower_than_something_that_it_is_for_in_the_same_currency() -> None:
    prices.check_reduces(price(1999), REGULAR)
    prices.check_reduces(price(499, sku="TEA"), REGULAR)
    prices.check_reduces(price(899, currency="USD"), REGULAR)
    for wrong in (price(2000), price(500, sku="TEA")):
        assert refusal(lambda wrong=wrong: prices.check_reduces(wrong, REGULAR)) == ("PRICE_NOT_REDUCED", "price")
    for wrong in (price(1, currency="JPY"), price(1, sku="CUP"), price(1, sku="GONE")):
        assert refusal(lambda wrong=wrong: prices.check_reduces(wrong, REGULAR)) == ("CURRENCY_MIXED", "price")


def test_one_that_is_ended_by_hand_ends_now_and_once() -> None:
    started, planned = price(), price(start_local="2026-12-01T00:00")
    for before in (started, planned):
        after = prices.withdrawn(before, NOW)
        assert (after.end_time, after.version) == (NOW, 2)
        assert prices.withdrawn(after, NOW.replace(hour=13)) is after
