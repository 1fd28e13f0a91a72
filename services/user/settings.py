"""What the user service reads from the environment, beside what every service does."""

from dataclasses import dataclass
from pathlib import Path

from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the signing keys lie, how long tokens last (in seconds), and who runs the shop."""

    signing_key_dir: Path = env("USER_SIGNING_KEY_DIR")  # noqa: RUF009 - a field, as everywhere; the rule knows no Path
    token_lifetime_s: int = env("USER_TOKEN_LIFETIME_S", default=900)
    # From the last exchange: who comes back within 30 days need not sign in.
    refresh_lifetime_s: int = env("USER_REFRESH_LIFETIME_S", default=2_592_000)
    # Without an address there is no administrator but those that are in the database.
    admin_email: str = env("ADMIN_EMAIL", default="")
    admin_password: str = env("ADMIN_PASSWORD", default="", secret=True)
