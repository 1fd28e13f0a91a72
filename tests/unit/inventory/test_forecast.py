"""What is forecast of demand that was generated, so that the truth is known, and what is ordered because of it."""

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain import forecast
from services.inventory.domain.forecast import Fit, Supply, Trial

SEEDS = range(20)
WEEKDAYS = (1.3, 0.8, 0.7, 0.8, 1.0, 1.4, 1.0)


def poisson(chance: random.Random, mean: float) -> int:
    """A number of independent buyers (Knuth)."""
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def demand(seed: int, days: int = 120, *, start: float = 12.0, growth: float = 0.05) -> list[int]:
    """Days of Poisson demand whose mean grows and has a weekly season."""
    chance = random.Random(seed)  # noqa: S311 - generated demand is no secret
    return [poisson(chance, (start + growth * day) * WEEKDAYS[day % 7]) for day in range(days)]


def trials(**shape: float) -> list[Trial]:
    found = [forecast.tried(demand(seed, **shape)) for seed in SEEDS]  # type: ignore[arg-type]  # days are whole by default
    return [trial for trial in found if trial]


@pytest.mark.parametrize(
    "shape", [{}, {"growth": 0.0}, {"start": 40.0, "growth": -0.2}, {"start": 2.0, "growth": 0.02}]
)
def test_generated_demand_is_forecast_better_than_by_the_week_before(shape: dict[str, float]) -> None:
    found = trials(**shape)
    error, naive = fmean(trial.error for trial in found), fmean(trial.naive_error for trial in found)
    assert error < 0.85 * naive
    assert sum(trial.error < trial.naive_error for trial in found) >= 0.7 * len(SEEDS)


def test_the_season_and_the_trend_of_demand_without_noise_are_found() -> None:
    sold = [round((20 + 0.2 * day) * WEEKDAYS[day % 7]) for day in range(140)]
    coming = forecast.fitted(sold[:-7]).days(7)
    assert coming == pytest.approx(sold[-7:], rel=0.1)


def test_what_never_changes_is_forecast_as_it_is() -> None:
    assert forecast.fitted([3] * 60).days(5) == pytest.approx([3.0] * 5)
    assert forecast.fitted([0] * 60).days(5) == [0.0] * 5


def test_a_few_days_are_forecast_by_their_mean_and_none_by_nothing() -> None:
    assert forecast.fitted([1, 3]).days(2) == [2.0, 2.0]
    assert forecast.fitted([]).days(2) == [0.0, 0.0]
    assert forecast.tried([1] * (forecast.FEWEST_TO_TRY - 1)) is None


@given(st.lists(st.integers(0, 500), max_size=60))
def test_no_forecast_is_less_than_nothing_or_no_number(sold: list[int]) -> None:
    fit = forecast.fitted(sold)
    assert all(day >= 0 and math.isfinite(day) for day in [*fit.days(30), fit.spread])


STEADY = Fit(10.0, 0.0, (0.0,) * 7, ())


def test_what_is_available_lasts_until_a_day_asks_for_more_than_is_left() -> None:
    assert forecast.planned(STEADY, Supply(35, {}, 7, 28)).days_of_cover == 3
    assert forecast.planned(STEADY, Supply(1000, {}, 7, 28)).days_of_cover is None


def test_an_order_is_due_its_lead_time_before_the_stock_runs_out_and_lasts_as_long_as_it_shall() -> None:
    plan = forecast.planned(STEADY, Supply(105, {}, 7, 28))
    assert (plan.order_in, plan.order_quantity) == (3, 10 * (3 + 7 + 28) - 105)


def test_what_is_on_its_way_is_not_ordered_again() -> None:
    later = forecast.planned(STEADY, Supply(105, {8: 70}, 7, 28))
    assert (later.order_in, later.order_quantity) == (10, 10 * (10 + 7 + 28) - 105 - 70)
    enough = forecast.planned(STEADY, Supply(105, {8: 700}, 7, 28))
    assert (enough.order_in, enough.order_quantity) == (None, 0)


def test_what_comes_too_late_does_not_help() -> None:
    assert forecast.planned(STEADY, Supply(35, {20: 700}, 7, 28)).order_in == 0


def test_the_less_sure_a_forecast_is_the_more_is_kept_in_reserve() -> None:
    unsure = Fit(10.0, 0.0, (0.0,) * 7, (-4.0, 4.0))
    plan = forecast.planned(unsure, Supply(105, {}, 4, 28))
    assert plan.safety_stock == math.ceil(1.645 * 4 * 2)
    assert plan.order_in is not None
    assert plan.order_in < forecast.planned(STEADY, Supply(105, {}, 4, 28)).order_in  # type: ignore[operator]  # it is due


@given(st.integers(0, 400), st.dictionaries(st.integers(0, 40), st.integers(1, 200), max_size=4), st.integers(1, 30))
def test_with_what_was_ordered_nothing_runs_out_once_it_came(
    available: int, arriving: dict[int, int], lead: int
) -> None:
    supply = Supply(available, arriving, lead, 28)
    plan = forecast.planned(STEADY, supply)
    if plan.order_in is None:
        return
    comes = plan.order_in + lead
    left = available
    for day in range(comes + 28):
        left = max(0, left) + arriving.get(day, 0) - 10 + (plan.order_quantity if day == comes else 0)
        assert day < comes or left >= 0
