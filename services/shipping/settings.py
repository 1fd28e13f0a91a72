"""What shipping reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis import credentials
from services.chassis.credentials import Credential
from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """The carrier: where, its timeout (seconds), its concurrent calls, and when its circuit breaker opens.

    webhook_secrets sign what the carrier tells of by itself: one, or two with a space between while it changes.
    track_s is after how many seconds a parcel on its way is asked about again. automatic: there is no warehouse whose people say
    what they do, so a parcel is the carrier's as soon as it has a label. That is for trying things out.
    """

    carrier_url: Credential = env("CARRIER_URL", secret=True)  # noqa: RUF009 - no value is made here: a field is
    webhook_secrets: Credential = env("CARRIER_WEBHOOK_SECRETS", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    carrier_timeout_s: float = env("CARRIER_TIMEOUT_S", default=5.0)
    carrier_calls: int = env("CARRIER_CALLS", default=64)
    breaker_failures: int = env("CARRIER_BREAKER_FAILURES", default=5)
    breaker_reset_s: float = env("CARRIER_BREAKER_RESET_S", default=60.0)
    track_s: float = env("SHIPPING_TRACK_S", default=300.0)
    automatic: bool = env("SHIPPING_AUTOMATIC", default=False)

    @property
    def lease_s(self) -> float:
        """How long a claimed parcel is this process's: it makes at most two calls, one to ask and one to act."""
        return 3 * self.carrier_timeout_s
