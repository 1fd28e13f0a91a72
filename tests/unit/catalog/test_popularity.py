"""How units that were sold lose their weight, and when that is worth telling."""

from datetime import UTC, datetime, timedelta

import pytest

from services.catalog.domain import popularity

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(("weeks", "worth"), [(0, 80), (1, 40), (2, 20), (3, 10), (20, 0)])
def test_a_unit_counts_half_as_much_after_each_week(weeks: int, worth: int) -> None:
    count = popularity.Count("p", 80.0, NOW - timedelta(weeks=weeks), 0)
    assert popularity.popularity(count, NOW) == worth


def test_a_clock_that_is_behind_makes_nothing_more_popular() -> None:
    assert popularity.popularity(popularity.Count("p", 80.0, NOW + timedelta(weeks=1), 0), NOW) == 80


@pytest.mark.parametrize(
    ("told", "found", "news"),
    [(0, 0, False), (0, 1, True), (1, 0, True), (100, 104, False), (100, 105, True), (100, 95, True), (7, 7, False)],
)
def test_only_a_change_of_a_twentieth_is_told(told: int, found: int, *, news: bool) -> None:
    assert popularity.is_news(told, found) is news


def test_between_two_looks_a_popularity_falls_by_about_a_twentieth() -> None:
    count = popularity.Count("p", 1000.0, NOW, 1000)
    assert 940 < popularity.popularity(count, NOW + popularity.LOOK_AGAIN) < 960
