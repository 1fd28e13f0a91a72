"""What the payment service reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the provider is, how long it may take (seconds), how much is asked of it at once, when it is left alone."""

    provider_url: str = env("PAYMENT_PROVIDER_URL")
    provider_timeout_s: float = env("PAYMENT_PROVIDER_TIMEOUT_S", default=5.0)
    provider_calls: int = env("PAYMENT_PROVIDER_CALLS", default=128)
    breaker_failures: int = env("PAYMENT_BREAKER_FAILURES", default=5)
    breaker_reset_s: float = env("PAYMENT_BREAKER_RESET_S", default=60.0)

    @property
    def lease_s(self) -> float:
        """How long a claimed payment is this process's: it makes at most two calls, one to ask and one to act."""
        return 3 * self.provider_timeout_s
