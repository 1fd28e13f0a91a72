"""How the shop should speak to somebody."""

import dataclasses
import zoneinfo
from dataclasses import dataclass

from services.chassis import errors


@dataclass(frozen=True, slots=True)
class Preferences:
    """A language (BCP 47), a currency (ISO 4217) and a time zone (IANA); what was not chosen is empty."""

    language: str = ""
    currency: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to be different; what is None stays."""

    language: str | None = None
    currency: str | None = None
    time_zone: str | None = None


def changed(preferences: Preferences, change: Change) -> Preferences:
    """The preferences after a change. Raises TIME_ZONE_UNKNOWN."""
    if change.time_zone and change.time_zone not in zoneinfo.available_timezones():
        said = "the IANA database has no such time zone"
        raise errors.invalid("TIME_ZONE_UNKNOWN", said, errors.Violation("time_zone", said, "TIME_ZONE_UNKNOWN"))
    wanted = {
        name: value for name in ("language", "currency", "time_zone") if (value := getattr(change, name)) is not None
    }
    return dataclasses.replace(preferences, **wanted)
