"""What the catalog reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the cache is, and for how long it keeps a value when nobody tells it of a change, in seconds."""

    redis_url: str = env("REDIS_URL", secret=True)
    cache_s: int = env("CATALOG_CACHE_S", default=60)
