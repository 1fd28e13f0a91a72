"""Who gets what of a batch of orders."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.inventory import domain
from services.inventory.domain import Hold, Level, Want


def test_an_order_is_held_whole_or_not_at_all() -> None:
    levels = [Level("A", "east", 5, 0), Level("B", "east", 1, 0)]
    allocation = domain.allocate([Want("o1", {"A": 2, "B": 2})], levels)
    assert allocation.holds == ()
    assert allocation.rejected == {"o1": (domain.Shortage("B", 2, 1),)}


def test_what_one_order_gets_is_not_there_for_the_next() -> None:
    allocation = domain.allocate([Want("o1", {"A": 3}), Want("o2", {"A": 3})], [Level("A", "east", 5, 0)])
    assert [hold.order_id for hold in allocation.holds] == ["o1"]
    assert allocation.rejected["o2"] == (domain.Shortage("A", 3, 2),)


def test_a_rejected_order_takes_nothing_from_those_behind_it() -> None:
    wants = [Want("greedy", {"A": 9}), Want("modest", {"A": 5})]
    allocation = domain.allocate(wants, [Level("A", "east", 5, 0)])
    assert [hold.order_id for hold in allocation.holds] == ["modest"]


def test_a_warehouse_that_has_the_whole_order_is_preferred() -> None:
    levels = [Level("A", "east", 5, 0), Level("A", "west", 5, 0), Level("B", "west", 5, 0)]
    allocation = domain.allocate([Want("o1", {"A": 1, "B": 1})], levels)
    assert {hold.warehouse for hold in allocation.holds} == {"west"}


def test_a_line_is_spread_over_warehouses_when_none_has_all() -> None:
    levels = [Level("A", "east", 2, 0), Level("A", "west", 3, 1)]
    allocation = domain.allocate([Want("o1", {"A": 4})], levels)
    assert allocation.holds == (Hold("o1", "A", "east", 2), Hold("o1", "A", "west", 2))


def test_a_sku_without_stock_is_short_by_all_of_it() -> None:
    assert domain.allocate([Want("o1", {"X": 1})], []).rejected == {"o1": (domain.Shortage("X", 1, 0),)}


SKUS = st.sampled_from("ABC")
WANTS = st.lists(st.dictionaries(SKUS, st.integers(1, 5), min_size=1), max_size=12)
LEVELS = st.dictionaries(st.tuples(SKUS, st.sampled_from(["east", "west"])), st.integers(0, 10))


@given(WANTS, LEVELS)
def test_never_more_is_granted_than_there_is_and_every_order_gets_all_or_nothing(
    lines: list[dict[str, int]], stock: dict[tuple[str, str], int]
) -> None:
    wants = [Want(f"o{number}", want) for number, want in enumerate(lines)]
    levels = [Level(sku, warehouse, on_hand, 0) for (sku, warehouse), on_hand in stock.items()]
    allocation = domain.allocate(wants, levels)
    for place, granted in domain.totals(allocation.holds).items():
        assert 0 < granted <= stock[place.sku, place.warehouse]
    for want in wants:
        got: dict[str, int] = {}
        for hold in allocation.holds:
            if hold.order_id == want.order_id:
                got[hold.sku] = got.get(hold.sku, 0) + hold.quantity
        assert got == ({} if want.order_id in allocation.rejected else dict(want.lines))


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
