"""What promotion reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import SettingsError, env
from services.promotion.domain import promotions


@dataclass(frozen=True, slots=True)
class Settings:
    """The time zone of the shop, by its IANA name, and for how many seconds it is remembered what products are."""

    time_zone: str = env("PROMOTION_TIME_ZONE", default="UTC")
    traits_s: float = env("PROMOTION_TRAITS_S", default=30.0)

    def __post_init__(self) -> None:
        if self.time_zone not in promotions.zones():
            raise SettingsError(f"PROMOTION_TIME_ZONE: {self.time_zone!r} is not a time zone of the IANA database")
