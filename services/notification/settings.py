"""What the notification service reads from the environment, beside what every service does."""

from dataclasses import dataclass
from enum import StrEnum

from services.chassis import credentials
from services.chassis.credentials import Credential
from services.chassis.settings import SettingsError, env


class Carrier(StrEnum):
    """Who carries text messages and push messages: the log, where there is no AWS, or Amazon SNS."""

    LOG = "log"
    SNS = "sns"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the mail server is (smtp:// or smtps://, with user and password if it wants them), and how it is used.

    public_url is where people reach the edge: links by which mail is unsubscribed lead there, and without it there are none.
    webhook_secrets sign what is told of mail after it was sent: one, or two with a space between while it changes.
    connections are kept open. most_attempts is how often a message is tried that is not taken for now. contact_wait_s is how
    long a message waits for the contact of its user, in seconds, before it is given up. digest_s is how often vendors are told
    of low stock at most, in seconds. sns_endpoint_url is empty for AWS's own. sns_calls is how many threads call SNS for each
    channel, sns_timeout_s how long each waits for a connection and for an answer, in seconds.
    """

    smtp_url: Credential = env("SMTP_URL", secret=True)  # noqa: RUF009 - no value is made here: a field is
    sender: str = env("NOTIFICATION_SENDER", default="no-reply@souk.test")
    public_url: str = env("NOTIFICATION_PUBLIC_URL", default="")
    webhook_secrets: Credential = env("NOTIFICATION_WEBHOOK_SECRETS", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    connections: int = env("NOTIFICATION_SMTP_CONNECTIONS", default=4)
    timeout_s: float = env("NOTIFICATION_SMTP_TIMEOUT_S", default=10.0)
    most_attempts: int = env("NOTIFICATION_MOST_ATTEMPTS", default=10)
    contact_wait_s: float = env("NOTIFICATION_CONTACT_WAIT_S", default=86400.0)
    digest_s: float = env("NOTIFICATION_DIGEST_S", default=86400.0)
    sms: Carrier = env("NOTIFICATION_SMS", default=Carrier.LOG)  # noqa: RUF009 - the same
    push: Carrier = env("NOTIFICATION_PUSH", default=Carrier.LOG)  # noqa: RUF009 - the same
    sms_sender_id: str = env("NOTIFICATION_SMS_SENDER_ID", default="")
    aws_region: str = env("AWS_REGION", default="")
    sns_endpoint_url: str = env("SNS_ENDPOINT_URL", default="")
    sns_calls: int = env("NOTIFICATION_SNS_CALLS", default=16)
    sns_timeout_s: float = env("NOTIFICATION_SNS_TIMEOUT_S", default=5.0)
    breaker_failures: int = env("NOTIFICATION_BREAKER_FAILURES", default=5)
    breaker_reset_s: float = env("NOTIFICATION_BREAKER_RESET_S", default=60.0)

    def __post_init__(self) -> None:
        """Raise SettingsError when SNS is chosen and nobody says where."""
        if Carrier.SNS in (self.sms, self.push) and not self.aws_region:
            raise SettingsError("AWS_REGION is not set, and NOTIFICATION_SMS or NOTIFICATION_PUSH is sns")

    @property
    def wait_s(self) -> float:
        """How long a claimed message may wait for a free connection."""
        return 3 * self.timeout_s

    @property
    def lease_s(self) -> float:
        """How long a claimed message is this process's: it waits, connects, sends, and is settled in less."""
        return self.wait_s + 3 * self.timeout_s

    @property
    def sns_call_s(self) -> float:
        """How long a message may take at SNS: for a text message two calls, each of which connects and waits."""
        return 4 * self.sns_timeout_s

    @property
    def sns_lease_s(self) -> float:
        """How long a message for SNS is this process's."""
        return self.sns_call_s + 3 * self.sns_timeout_s
