"""What the notification service reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the mail server is (smtp:// or smtps://, with user and password if it wants them), and how it is used.

    connections are kept open. most_attempts is how often a message is tried that the server will not take for now.
    """

    smtp_url: str = env("SMTP_URL", secret=True)
    sender: str = env("NOTIFICATION_SENDER", default="no-reply@souk.test")
    connections: int = env("NOTIFICATION_SMTP_CONNECTIONS", default=4)
    timeout_s: float = env("NOTIFICATION_SMTP_TIMEOUT_S", default=10.0)
    most_attempts: int = env("NOTIFICATION_MOST_ATTEMPTS", default=10)

    @property
    def wait_s(self) -> float:
        """How long a claimed message may wait for a free connection."""
        return 3 * self.timeout_s

    @property
    def lease_s(self) -> float:
        """How long a claimed message is this process's: it waits, connects, sends, and is settled in less."""
        return self.wait_s + 3 * self.timeout_s
