"""What storefront reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """page_s is how long the parts of a page are awaited, in seconds.

    What anybody may see is remembered for cache_s seconds. A page says of up to low_stock units that few are left.
    """

    page_s: float = env("STOREFRONT_PAGE_S", default=0.8)
    cache_s: float = env("STOREFRONT_CACHE_S", default=2.0)
    low_stock: int = env("STOREFRONT_LOW_STOCK", default=5)
