"""What the payment service reads from the environment, beside what every service does."""

from dataclasses import dataclass
from enum import StrEnum

from services.chassis import credentials
from services.chassis.credentials import Credential
from services.chassis.settings import SettingsError, env


class ProviderKind(StrEnum):
    """Which interface the provider has: that of the simulator, or Stripe's."""

    SIMULATOR = "simulator"
    STRIPE = "stripe"


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider: which, where, its timeout (seconds), its concurrent calls, and when its circuit breaker opens.

    webhook_secrets sign what the provider tells of by itself: one, or two with a space between while it changes.
    reconcile_s is how often, in seconds, its books are compared with ours. return_url is where Stripe's page sends customers who
    have confirmed a payment; without one the shop's page lets them confirm, by Stripe.js. confirm_poll_s is how often, in
    seconds, it is asked at the least whether a customer has confirmed: a webhook makes it be asked at once.
    provider_repeat_s is for how long a call may be repeated, in seconds from its first attempt: shorter than the provider
    remembers idempotency keys. provider_lookup_lag_s is how long after that a charge that it made may still be missing from
    what it finds: Stripe's search can be an hour behind.
    """

    provider: ProviderKind = env("PAYMENT_PROVIDER", default=ProviderKind.SIMULATOR)  # noqa: RUF009 - no value is made here: a field is
    provider_url: str = env("PAYMENT_PROVIDER_URL", default="")
    stripe_api_key: Credential = env("STRIPE_API_KEY", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    stripe_api_base: str = env("STRIPE_API_BASE", default="https://api.stripe.com")
    webhook_secrets: Credential = env("PAYMENT_WEBHOOK_SECRETS", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    provider_timeout_s: float = env("PAYMENT_PROVIDER_TIMEOUT_S", default=5.0)
    provider_calls: int = env("PAYMENT_PROVIDER_CALLS", default=128)
    provider_repeat_s: float = env("PAYMENT_PROVIDER_REPEAT_S", default=82_800.0)
    provider_lookup_lag_s: float = env("PAYMENT_PROVIDER_LOOKUP_LAG_S", default=7_200.0)
    reconcile_s: float = env("PAYMENT_RECONCILE_S", default=900.0)
    return_url: str = env("PAYMENT_RETURN_URL", default="")
    confirm_poll_s: float = env("PAYMENT_CONFIRM_POLL_S", default=10.0)
    breaker_failures: int = env("PAYMENT_BREAKER_FAILURES", default=5)
    breaker_reset_s: float = env("PAYMENT_BREAKER_RESET_S", default=60.0)

    def __post_init__(self) -> None:
        """Raise SettingsError when the chosen provider cannot be reached with what is set."""
        needed, given = "PAYMENT_PROVIDER_URL", bool(self.provider_url)
        if self.provider is ProviderKind.STRIPE:
            needed, given = "STRIPE_API_KEY", bool(self.stripe_api_key)
        if not given:
            raise SettingsError(f"{needed} is not set, and PAYMENT_PROVIDER is {self.provider}")

    @property
    def lease_s(self) -> float:
        """How long a claimed payment is this process's: it makes at most two calls, one to ask and one to act."""
        return 3 * self.provider_timeout_s
