"""What a test may tell the simulator to do."""

from typing import Any

import pytest

from scripts.simulators import control


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        {"mood": "bad"},
        {"mode": "off"},
        {"latency_ms": -1},
        {"latency_ms": "1"},
        {"hang_seconds": True},
        {"error_rate": 2},
    ],
)
def test_a_control_that_makes_no_sense_is_refused(wanted: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        control.changed(control.Control(), wanted)


def test_only_what_is_named_changes() -> None:
    slow = control.changed(control.Control(mode="down"), {"latency_ms": 20})
    assert (slow.mode, slow.latency_ms) == ("down", 20)


def test_an_error_rate_strikes_evenly_and_every_second_time_after_the_effect() -> None:
    faults = control.FaultSchedule()
    struck = [(call, faults.after_effect) for call in range(1, 41) if faults.strikes(0.1)]
    assert struck == [(10, False), (20, True), (30, False), (40, True)]
