"""Which terms of a promotion make sense, and when they hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis import errors, money
from services.promotion.domain import promotions
from tests.unit.promotion.makers import NOW, promotion, terms, usd

TEN_PERCENT = promotions.Percentage(1000)


def test_a_window_is_local_time_in_the_zone_of_the_promotion_or_else_of_the_shop() -> None:
    window = promotions.Window("2026-11-27T00:00", "2026-11-28T00:00")
    assert promotions.moments(window, "Europe/Berlin") == (
        datetime(2026, 11, 26, 23, 0, tzinfo=UTC),
        datetime(2026, 11, 27, 23, 0, tzinfo=UTC),
    )
    start, _ = promotions.moments(replace(window, time_zone="America/New_York"), "Europe/Berlin")
    assert start == datetime(2026, 11, 27, 5, 0, tzinfo=UTC)


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    spring = promotions.Window("2026-03-29T00:00", "2026-03-30T00:00", "Europe/Berlin")
    start, end = promotions.moments(spring, "UTC")
    assert start
    assert end
    assert end - start == timedelta(hours=23)
    # 02:30 does not exist that day: taken by the offset before, as 03:30. And of 02:30 in autumn the first is meant.
    skipped, _ = promotions.moments(replace(spring, start_local="2026-03-29T02:30"), "UTC")
    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    twice, _ = promotions.moments(promotions.Window("2026-10-25T02:30", "", "Europe/Berlin"), "UTC")
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (promotions.Window("2026-02-30T00:00"), "WINDOW_INVALID"),
        (promotions.Window("2026-01-01T25:00"), "WINDOW_INVALID"),
        (promotions.Window("0001-01-01T00:00", time_zone="Asia/Tokyo"), "WINDOW_INVALID"),
        (promotions.Window("2026-01-02T00:00", "2026-01-02T00:00"), "WINDOW_INVALID"),
        (promotions.Window(time_zone="Mars/Olympus"), "TIME_ZONE_UNKNOWN"),
        (promotions.Window(time_zone="../../etc/passwd"), "TIME_ZONE_UNKNOWN"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(window: promotions.Window, reason: str) -> None:
    with pytest.raises(errors.DomainError) as refused:
        promotions.moments(window, "UTC")
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("made", "reason", "field"),
    [
        (terms(promotions.FixedAmount(usd(0))), "AMOUNT_INVALID", "terms.fixed_amount.amount"),
        (terms(TEN_PERCENT, minimum_spend=usd(-1)), "AMOUNT_INVALID", "terms.minimum_spend"),
        (
            terms(promotions.FixedAmount(usd(1)), minimum_spend=money.Money("EUR", 1)),
            "CURRENCY_MIXED",
            "terms.fixed_amount.amount",
        ),
        (
            terms(promotions.Tiered((promotions.Tier(usd(1), 1), promotions.Tier(usd(1), 2)))),
            "TIERS_INVALID",
            "terms.tiered.tiers",
        ),
    ],
)
def test_terms_that_make_no_sense_are_refused_and_the_field_is_named(
    made: promotions.Terms, reason: str, field: str
) -> None:
    with pytest.raises(errors.DomainError) as refused:
        promotions.check(made)
    assert (refused.value.reason, refused.value.violations[0].field) == (reason, field)


def test_an_edit_needs_the_version_that_was_read_and_sent_again_finds_what_it_made() -> None:
    before = promotion(TEN_PERCENT)
    edit = promotions.Edit(before.id, 1, terms(promotions.Percentage(2000)))
    after = promotions.revised(before, edit, shop_zone="UTC", now=NOW)
    assert (after.version, after.terms) == (2, edit.terms)
    assert promotions.revised(after, edit, shop_zone="UTC", now=NOW) == after
    other = replace(edit, terms=terms(promotions.Percentage(3000)))
    with pytest.raises(errors.DomainError) as refused:
        promotions.revised(after, other, shop_zone="UTC", now=NOW)
    assert refused.value.reason == "VERSION_CHANGED"


def test_a_limit_cannot_be_set_below_what_is_used() -> None:
    used = replace(promotion(TEN_PERCENT, most_uses=10), uses=7)
    with pytest.raises(errors.DomainError) as refused:
        promotions.revised(used, promotions.Edit(used.id, 1, terms(TEN_PERCENT, most_uses=6)), shop_zone="UTC", now=NOW)
    assert (refused.value.reason, refused.value.metadata) == ("LIMIT_BELOW_USES", {"uses": "7"})


def test_a_promotion_ends_once_and_for_good() -> None:
    over = promotions.ended(promotion(TEN_PERCENT), NOW)
    assert (over.end_time, over.version) == (NOW, 1)
    assert promotions.ended(over, NOW + timedelta(days=1)) == over
    with pytest.raises(errors.DomainError) as refused:
        promotions.revised(over, promotions.Edit(over.id, 1, terms(TEN_PERCENT)), shop_zone="UTC", now=NOW)
    assert refused.value.reason == "PROMOTION_ENDED"


def test_what_has_a_code_or_a_limit_must_be_claimed() -> None:
    assert not promotion(TEN_PERCENT).must_be_claimed
    assert promotion(TEN_PERCENT, automatic=False).must_be_claimed
    assert promotion(TEN_PERCENT, most_uses=1).must_be_claimed
    assert promotion(TEN_PERCENT, first_order_only=True).must_be_claimed
