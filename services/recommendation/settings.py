"""What recommendation reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import SettingsError, env


@dataclass(frozen=True, slots=True)
class Settings:
    """How recommendations are made.

    What goes together is remembered for together_s seconds, what trends for trending_s. category_share is the part of an answer
    that one category may take, from 0 to 1. What a customer bought in the last bought_days days is not recommended to them.
    """

    together_s: float = env("RECOMMENDATION_TOGETHER_S", default=30.0)
    trending_s: float = env("RECOMMENDATION_TRENDING_S", default=5.0)
    category_share: float = env("RECOMMENDATION_CATEGORY_SHARE", default=0.4)
    bought_days: float = env("RECOMMENDATION_BOUGHT_DAYS", default=30.0)

    def __post_init__(self) -> None:
        if not 0 < self.category_share <= 1:
            raise SettingsError("RECOMMENDATION_CATEGORY_SHARE must be more than 0 and at most 1")
