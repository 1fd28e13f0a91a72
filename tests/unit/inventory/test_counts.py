"""What a count finds, whatever moved since, and what it may correct."""

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain import Level, counts
from services.inventory.domain.counts import Line


def test_what_is_missing_and_what_was_found_are_told_by_sku() -> None:
    levels = {"A": Level("A", "east", 10, 0), "B": Level("B", "east", 3, 0)}
    lines = counts.compared({"B": 5, "A": 7}, levels, {})
    assert [(line.sku, line.difference, line.applied) for line in lines] == [("A", -3, True), ("B", 2, True)]


def test_what_was_sold_since_the_count_is_not_missing() -> None:
    [line] = counts.compared({"A": 10}, {"A": Level("A", "east", 6, 0)}, {"A": -4})
    assert line == Line("A", 10, 10, applied=True)


def test_a_count_of_less_than_orders_hold_is_told_and_not_applied() -> None:
    [line] = counts.compared({"A": 3}, {"A": Level("A", "east", 10, 4)}, {})
    assert (line.difference, line.applied) == (-7, False)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(-60, 60), st.integers(0, 100))
def test_an_applied_count_leaves_what_was_counted_and_what_moved_since(
    free: int, reserved: int, moved: int, counted: int
) -> None:
    level = Level("A", "east", free + reserved, reserved)
    [line] = counts.compared({"A": counted}, {"A": level}, {"A": moved})
    after = level.on_hand + line.difference
    assert after == counted + moved
    assert line.applied == (after >= reserved)
