"""What the user service reads from the environment, beside what every service does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services.chassis.settings import SettingsError, env

PROVIDERS = "USER_SIGN_IN_PROVIDERS"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider that people sign in with.

    name is what routes and links call it, and stays; issuer is where it says what it is; redirect_uri is the page of the
    shop that the browser comes back to, exactly as the provider knows it.
    """

    name: str
    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str = field(default="", repr=False)
    scopes: str = "openid email profile"

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be."""
        texts = (self.name, self.issuer, self.client_id, self.redirect_uri, self.client_secret, self.scopes)
        if not all(isinstance(text, str) for text in texts) or not all(texts[:4]):
            raise ValueError("name, issuer, client_id and redirect_uri are texts, and not empty")
        if not (self.name.replace("-", "").isalnum() and self.name.isascii() and self.name.islower()):
            raise ValueError(f"{self.name!r} is no name for a route: small letters, digits and hyphens")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes name openid")
        for url in (self.issuer, self.redirect_uri):
            if not is_safe(url):
                raise ValueError(f"{url} is neither https nor on this machine")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the signing keys lie, how long tokens last (in seconds), who runs the shop, and whom people sign in with."""

    signing_key_dir: Path = env("USER_SIGNING_KEY_DIR")  # noqa: RUF009 - a field, as everywhere; the rule knows no Path
    token_lifetime_s: int = env("USER_TOKEN_LIFETIME_S", default=900)
    # From the last exchange: who comes back within 30 days need not sign in.
    refresh_lifetime_s: int = env("USER_REFRESH_LIFETIME_S", default=2_592_000)
    # Without an address there is no administrator but those that are in the database.
    admin_email: str = env("ADMIN_EMAIL", default="")
    admin_password: str = env("ADMIN_PASSWORD", default="", secret=True)
    # A list in JSON of what `Provider` has, with its secrets: in a cluster it comes as a file (USER_SIGN_IN_PROVIDERS_FILE).
    sign_in_providers: str = env(PROVIDERS, default="", secret=True)
    provider_timeout_s: float = env("USER_PROVIDER_TIMEOUT_S", default=3.0)

    def providers(self) -> Sequence[Provider]:
        """The providers that people sign in with. Raises SettingsError."""
        try:
            found = [_provider(item) for item in json.loads(self.sign_in_providers or "[]")]
        except (ValueError, TypeError) as error:
            raise SettingsError(f"{PROVIDERS}: {error}") from error
        if len({provider.name for provider in found}) < len(found):
            raise SettingsError(f"{PROVIDERS}: two have the same name")
        return found


def is_safe(url: str) -> bool:
    """Whether what is sent to a URL is for nobody else: by TLS, or to this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _provider(item: dict[str, Any]) -> Provider:
    return Provider(**item)
