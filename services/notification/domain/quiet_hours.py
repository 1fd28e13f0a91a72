"""Quiet hours: when somebody is not written to, by the clocks where that person lives."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from services.chassis import errors


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until `end` of each day, or of the next one when `end` is earlier; never when they are the same.

    time_zone is a name of the IANA database.
    """

    start: time = time(0)
    end: time = time(0)
    time_zone: str = ""

    def wait_s(self, now: datetime) -> float:
        """How long it takes until the quiet hours end, in seconds; 0 when there are none now."""
        local = _local(now, self.time_zone)
        if local is None or not self._hold(local.time()):
            return 0.0
        days = timedelta(days=1) if self.end <= local.time() else timedelta()
        end = datetime.combine(local.date() + days, self.end, local.tzinfo)
        # An hour that comes twice ends twice. One that the clocks jump over ends as long after the jump as it began before.
        ends = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return next((moment - now).total_seconds() for moment in ends if moment > now)

    def _hold(self, clock: time) -> bool:
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


NEVER = QuietHours()


def checked(quiet: QuietHours) -> QuietHours:
    """Quiet hours that somebody chose. Raises TIME_ZONE_UNKNOWN."""
    if quiet != NEVER and quiet.time_zone not in zoneinfo.available_timezones():
        said, name = "the IANA database has no such time zone", "quiet_hours.time_zone"
        raise errors.invalid("TIME_ZONE_UNKNOWN", said, errors.Violation(name, said, "TIME_ZONE_UNKNOWN"))
    return quiet


def _local(now: datetime, time_zone: str) -> datetime | None:
    try:
        return now.astimezone(zoneinfo.ZoneInfo(time_zone)) if time_zone else None
    except zoneinfo.ZoneInfoNotFoundError:
        # It was in the database of another release: nobody waits for a clock that is not known.
        return None
