"""When a SKU is low, and what an adjustment may do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.inventory import domain
from services.inventory.domain import Level

STOCKED = st.lists(
    st.builds(
        Level, st.just("A"), st.text("ab", min_size=1, max_size=3), st.integers(0, 20), st.just(0), st.integers(0, 30)
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda level: level.warehouse,
)


@given(STOCKED, st.data())
def test_a_sku_falls_low_exactly_when_it_crosses_its_threshold(levels: list[Level], data: st.DataObject) -> None:
    levels = [replace(level, low_below=levels[0].low_below) for level in levels]
    taken = {level.place: data.draw(st.integers(0, level.available)) for level in levels}
    before = sum(level.available for level in levels)
    after = before - sum(taken.values())
    low = domain.fallen_low(levels, taken)
    crossed = after < levels[0].low_below <= before
    assert low == ([domain.StockLevelLow("A", after, levels[0].low_below)] if crossed else [])


@given(st.integers(0, 100), st.integers(0, 100), st.integers(-200, 200))
def test_an_adjustment_never_goes_below_what_is_promised(on_hand: int, reserved: int, delta: int) -> None:
    level = Level("A", "east", on_hand + reserved, reserved)
    if level.on_hand + delta < reserved:
        with pytest.raises(errors.DomainError, match="STOCK_BELOW_RESERVED"):
            domain.adjusted(level, delta)
        return
    after = domain.adjusted(level, delta)
    assert (after.on_hand, after.reserved) == (level.on_hand + delta, reserved)
