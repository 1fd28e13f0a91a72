"""The statistics of recommendation: the log-likelihood ratio is Dunning's, and heat is a sum."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommendation import weights


def test_the_ratio_is_that_of_dunnings_own_table() -> None:
    # "the swiss", the first row of the table in the paper: 110 together, 2442 and 111 beside it, 29114 others; 270.72.
    assert weights.ratio(110, 110 + 2442, 110 + 111, 110 + 2442 + 111 + 29114) == pytest.approx(270.72, abs=0.005)


@pytest.mark.parametrize(("both", "one", "other", "orders"), [(1, 10, 10, 100), (0, 5, 5, 100), (10, 100, 10, 100)])
def test_what_is_together_no_more_often_than_by_chance_has_no_ratio(
    both: int, one: int, other: int, orders: int
) -> None:
    assert weights.ratio(both, one, other, orders) == 0.0


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 500))
def test_a_ratio_is_symmetric_finite_and_never_negative(both: int, alone: int, other: int, none: int) -> None:
    one, two, orders = both + alone, both + other, both + alone + other + none
    found = weights.ratio(both, one, two, orders)
    assert found >= 0.0
    assert math.isfinite(found)
    assert found == pytest.approx(weights.ratio(both, two, one, orders))


@given(st.integers(1, 30), st.integers(1, 50), st.integers(1, 50), st.integers(100, 1000))
def test_more_evidence_of_the_same_shares_is_a_greater_ratio(both: int, alone: int, other: int, none: int) -> None:
    table = (both, both + alone, both + other, both + alone + other + none)
    twice = tuple(2 * cell for cell in table)
    assert weights.ratio(*twice) == pytest.approx(2 * weights.ratio(*table))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_heat_adds_up_in_any_order(one: float, two: float, three: float) -> None:
    left = weights.hotter(weights.hotter(one, two), three)
    assert left == pytest.approx(weights.hotter(one, weights.hotter(three, two)), rel=1e-12, abs=1e-9)
    assert left >= max(one, two, three)
