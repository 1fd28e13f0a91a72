"""What the inventory service reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """In seconds: how long an order's hold lasts (longer than its saga may wait), how often a level is told at most."""

    hold_s: float = env("INVENTORY_HOLD_S", default=1200.0)
    levels_every_s: float = env("INVENTORY_LEVELS_EVERY_S", default=5.0)
