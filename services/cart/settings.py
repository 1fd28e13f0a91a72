"""What cart reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """How many characters a text may have."""

    most: int = env("CART_MOST", default=500)
