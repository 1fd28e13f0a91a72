"""What search reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """How search behaves. All times are in seconds.

    cache_s is how long answers are remembered while they hold; the number of results, where they are many, is as old. fresh_s
    is how long a process goes on with what it knows of changes, of synonyms and of categories. categories_s is how often the
    catalog is asked for its categories.
    currency is the shop's: prices are compared in it when a search names no other.
    """

    cache_s: int = env("SEARCH_CACHE_S", default=300)
    fresh_s: float = env("SEARCH_FRESH_S", default=0.2)
    categories_s: float = env("SEARCH_CATEGORIES_S", default=5.0)
    currency: str = env("SEARCH_CURRENCY", default="USD")
