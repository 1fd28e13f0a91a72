"""What shipping reads from the environment, beside what every service does."""

from dataclasses import dataclass
from enum import StrEnum

from services.chassis import credentials
from services.chassis.credentials import Credential
from services.chassis.settings import SettingsError, env


class CarrierKind(StrEnum):
    """Which interface the carrier has: that of the simulator, or EasyPost's."""

    SIMULATOR = "simulator"
    EASYPOST = "easypost"


@dataclass(frozen=True, slots=True)
class Settings:
    """The carrier: which, where, its timeout (seconds), its concurrent calls, and when its circuit breaker opens.

    easypost_senders has the addresses of warehouses, a JSON object by their ids; `*` is for all others.
    webhook_secrets sign what the carrier tells of by itself: one, or two with a space between while it changes.
    track_s is after how many seconds a parcel on its way is asked about again. automatic: there is no warehouse whose people say
    what they do, so a parcel is the carrier's as soon as it has a label. That is for trying things out.
    """

    carrier: CarrierKind = env("SHIPPING_CARRIER", default=CarrierKind.SIMULATOR)  # noqa: RUF009 - no value is made here: a field is
    carrier_url: Credential = env("CARRIER_URL", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    easypost_api_key: Credential = env("EASYPOST_API_KEY", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    easypost_api_base: str = env("EASYPOST_API_BASE", default="https://api.easypost.com")
    easypost_senders: str = env("EASYPOST_SENDERS", default="")
    webhook_secrets: Credential = env("CARRIER_WEBHOOK_SECRETS", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    carrier_timeout_s: float = env("CARRIER_TIMEOUT_S", default=5.0)
    carrier_calls: int = env("CARRIER_CALLS", default=64)
    breaker_failures: int = env("CARRIER_BREAKER_FAILURES", default=5)
    breaker_reset_s: float = env("CARRIER_BREAKER_RESET_S", default=60.0)
    track_s: float = env("SHIPPING_TRACK_S", default=300.0)
    automatic: bool = env("SHIPPING_AUTOMATIC", default=False)

    def __post_init__(self) -> None:
        """Raise SettingsError when the chosen carrier cannot be reached with what is set."""
        needed, given = "CARRIER_URL", bool(self.carrier_url)
        if self.carrier is CarrierKind.EASYPOST:
            needed, given = (
                "EASYPOST_API_KEY or EASYPOST_SENDERS",
                bool(self.easypost_api_key and self.easypost_senders),
            )
        if not given:
            raise SettingsError(f"{needed} is not set, and SHIPPING_CARRIER is {self.carrier}")

    @property
    def lease_s(self) -> float:
        """How long a claimed parcel is this process's: it makes at most three calls, the last of which acts."""
        return (4 if self.carrier is CarrierKind.EASYPOST else 3) * self.carrier_timeout_s
