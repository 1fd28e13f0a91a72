"""The earlier price beside a reduced one, by the letter of Article 6a of Directive 98/6/EC."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain import timeline
from services.chassis import money

START = datetime(2026, 1, 1, tzinfo=UTC)
# A day, what one unit costs from then on, and whether that is a promotional price.
Change = tuple[int, int, bool]


def changes(*said: Change, currency: str = "EUR") -> list[timeline.Begun]:
    return [
        timeline.Begun(START + timedelta(days=day), money.Money(currency, price), promotional)
        for day, price, promotional in said
    ]


def earlier(*said: Change) -> int | None:
    found = timeline.earlier(changes(*said))
    return found.amount if found else None


def test_a_reduced_price_is_compared_to_what_was_charged_before() -> None:
    assert earlier((0, 100, False), (40, 80, True)) == 100


def test_a_price_that_was_raised_for_the_sale_is_not_what_it_is_compared_to() -> None:
    assert earlier((0, 100, False), (30, 200, False), (40, 80, True)) == 100


def test_what_was_charged_for_the_last_time_thirty_days_before_does_not_count() -> None:
    assert earlier((0, 90, False), (10, 100, False), (40, 80, True)) == 100
    assert earlier((0, 90, False), (11, 100, False), (40, 80, True)) == 90


def test_a_price_that_is_lowered_step_by_step_is_compared_to_the_one_before_the_first_step() -> None:
    assert earlier((0, 100, False), (40, 80, True), (80, 60, True), (120, 60, True)) == 100


def test_a_price_that_rises_in_a_sale_is_compared_to_what_it_was_in_the_sale() -> None:
    assert earlier((0, 100, False), (40, 50, True), (41, 70, True)) is None
    assert earlier((0, 100, False), (40, 50, True), (71, 90, True), (72, 40, True)) == 50


def test_a_sale_that_is_repeated_is_compared_to_the_sale_before() -> None:
    assert earlier((0, 100, False), (40, 80, True), (45, 100, False), (50, 70, True)) == 80
    assert earlier((0, 100, False), (40, 80, True), (45, 100, False), (50, 80, True)) is None


def test_without_a_reduction_or_anything_before_it_there_is_no_earlier_price() -> None:
    assert timeline.earlier([]) is None
    assert earlier((0, 100, False)) is None
    assert earlier((0, 80, True)) is None
    assert earlier((0, 100, False), (1, 80, True), (2, 80, False)) is None


def test_prices_in_another_currency_are_not_compared() -> None:
    before = changes((0, 10, False), currency="USD")
    assert timeline.earlier([*before, *changes((40, 80, True))]) is None
    found = timeline.earlier([*before, *changes((1, 100, False), (40, 80, True))])
    assert found == money.Money("EUR", 100)


def by_brute_force(said: Sequence[Change]) -> int | None:
    """Looks at what was charged on each single day, and goes back day by day."""
    charged: dict[int, tuple[int, bool]] = {}
    for day, price, promotional in said:
        charged |= dict.fromkeys(range(day, said[-1][0] + 1), (price, promotional))
    began = said[-1][0]
    now, reduced = charged[began]
    if not reduced:
        return None
    while began - 1 in charged:
        price, promotional = charged[began - 1]
        if not promotional or price < charged[began][0]:
            break
        began -= 1
    lowest = min((charged[day][0] for day in range(began - 30, began) if day in charged), default=now)
    return lowest if lowest > now else None


timelines = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 6), st.booleans()), min_size=1, max_size=12).map(
    lambda said: sorted(said, key=lambda change: change[0])
)


@given(timelines)
def test_the_earlier_price_is_the_lowest_of_all_days_that_count(said: list[Change]) -> None:
    assert earlier(*said) == by_brute_force(said)


@given(timelines)
def test_no_price_is_compared_to_one_that_was_not_higher(said: list[Change]) -> None:
    found = earlier(*said)
    assert found is None or (said[-1][2] and found > said[-1][1])


def test_a_reduction_is_the_same_out_of_a_row_and_out_of_the_cache() -> None:
    ends = START + timedelta(days=50)
    rows = [[change.time.isoformat(), "EUR", change.price.amount, change.promotional] for change in TWO]
    read = timeline.reduction("EUR", [80, ends.isoformat(), rows])
    assert read == timeline.Reduction(money.Money("EUR", 80), money.Money("EUR", 100), ends)
    assert timeline.unpack("EUR", json.loads(json.dumps(timeline.pack(read)))) == read


def test_what_is_not_reduced_or_does_not_end_is_kept_so() -> None:
    assert timeline.reduction("EUR", None) is timeline.unpack("EUR", timeline.pack(None)) is None
    open_end = timeline.Reduction(money.Money("EUR", 80))
    assert timeline.unpack("EUR", timeline.pack(open_end)) == timeline.reduction("EUR", [80, None, None]) == open_end


TWO = changes((0, 100, False), (40, 80, True))
