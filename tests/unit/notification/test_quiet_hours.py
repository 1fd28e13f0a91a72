"""When quiet hours end, by clocks that jump: each end is computed in its own time zone."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.notification.domain import NEVER, QuietHours, quiet_hours

BERLIN = "Europe/Berlin"
NIGHT = QuietHours(time(22), time(7), BERLIN)


@pytest.mark.parametrize(
    ("quiet", "now", "end"),
    [
        (NIGHT, "2026-01-10T21:30+00:00", "2026-01-11T06:00+00:00"),
        (NIGHT, "2026-01-11T02:00+00:00", "2026-01-11T06:00+00:00"),
        (NIGHT, "2026-07-10T20:00+00:00", "2026-07-11T05:00+00:00"),
        (QuietHours(time(13), time(15), "America/New_York"), "2026-01-10T18:30+00:00", "2026-01-10T20:00+00:00"),
        # A night with an hour less, and one with an hour more.
        (NIGHT, "2026-03-28T22:00+00:00", "2026-03-29T05:00+00:00"),
        (NIGHT, "2026-10-24T21:00+00:00", "2026-10-25T06:00+00:00"),
        # 02:30 does not come on this day, and comes twice on that.
        (QuietHours(time(22), time(2, 30), BERLIN), "2026-03-28T22:00+00:00", "2026-03-29T01:30+00:00"),
        (QuietHours(time(22), time(2, 30), BERLIN), "2026-10-24T23:00+00:00", "2026-10-25T00:30+00:00"),
        (QuietHours(time(22), time(2, 30), BERLIN), "2026-10-25T01:10+00:00", "2026-10-25T01:30+00:00"),
    ],
)
def test_quiet_hours_end_by_the_clocks_of_their_time_zone(quiet: QuietHours, now: str, end: str) -> None:
    at = datetime.fromisoformat(now)
    assert at + timedelta(seconds=quiet.wait_s(at)) == datetime.fromisoformat(end)


@pytest.mark.parametrize("now", ["2026-01-11T06:00+00:00", "2026-01-10T20:59+00:00", "2026-07-10T19:59+00:00"])
def test_nobody_waits_outside_of_quiet_hours(now: str) -> None:
    assert NIGHT.wait_s(datetime.fromisoformat(now)) == 0


def test_who_chose_none_and_whose_time_zone_is_gone_is_never_left_alone() -> None:
    now = datetime(2026, 1, 10, 23, tzinfo=UTC)
    assert NEVER.wait_s(now) == 0
    assert QuietHours(time(22), time(7), "Mars/Olympus").wait_s(now) == 0


TIMES = st.times()
ZONES = st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"])


@given(TIMES, TIMES, ZONES, st.integers(0, 30 * 365 * 86400))
def test_whoever_waits_waits_for_a_day_at_most(start: time, end: time, zone: str, seconds: int) -> None:
    waited = QuietHours(start, end, zone).wait_s(datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
    assert 0 <= waited <= timedelta(hours=25).total_seconds()
    assert waited == 0 or start != end


def test_a_time_zone_that_is_none_is_refused() -> None:
    assert quiet_hours.checked(NIGHT) is NIGHT
    with pytest.raises(errors.DomainError, match="time zone") as caught:
        quiet_hours.checked(QuietHours(time(22), time(7), "Mars/Olympus"))
    assert caught.value.reason == "TIME_ZONE_UNKNOWN"
