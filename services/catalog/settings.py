"""What the catalog reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """For how long the cache keeps a value when nobody tells it of a change, in seconds."""

    cache_s: int = env("CATALOG_CACHE_S", default=60)
