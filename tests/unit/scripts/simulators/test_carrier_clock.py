"""The carrier's clock: it runs at a speed that may change, and never goes back."""

from hypothesis import given
from hypothesis import strategies as st

from scripts.simulators.carrier.clock import Clock


def test_it_shows_as_many_seconds_as_its_speed_says() -> None:
    clock = Clock(100.0, 10.0)
    assert clock.shown(103.0) == 30.0


def test_what_it_showed_stays_shown_when_its_speed_changes() -> None:
    clock = Clock(0.0, 100.0)
    clock.change(10.0, 0.0)
    assert clock.shown(1000.0) == 1000.0
    clock.change(1000.0, 1.0)
    assert clock.shown(1005.0) == 1005.0


@given(st.lists(st.tuples(st.floats(0.0, 1e6), st.floats(0.0, 1e6)), max_size=6))
def test_it_never_goes_back_and_tells_when_it_showed_what(changes: list[tuple[float, float]]) -> None:
    clock, moment, shown = Clock(0.0, 1.0), 0.0, 0.0
    for after, speed in changes:
        moment += after
        clock.change(moment, speed)
        assert clock.shown(moment) >= shown
        shown = clock.shown(moment)
    assert clock.moment(shown) <= moment + 1e-3
