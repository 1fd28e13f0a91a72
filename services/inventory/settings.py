"""What the inventory service reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """How long an order's hold lasts, in seconds: longer than its saga may wait."""

    hold_s: float = env("INVENTORY_HOLD_S", default=600.0)
