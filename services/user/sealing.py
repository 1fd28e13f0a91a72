"""What authenticators share with us, sealed with keys from files: the database alone, or a copy of it, makes no codes.

The keys lie beside those that sign tokens (`USER_SIGNING_KEY_DIR`), as `*.seal`: 32 bytes in base64, as Fernet wants them. The
last by name seals, and all of them open, so that a key is changed by adding one. Without any, secrets are kept as they are;
those that were kept before the first key came can still be read.
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography import fernet

from services.chassis.settings import SettingsError

_CLEAR = "clear:"


class Seal:
    """Seals a text for whom it belongs to; without keys it only marks it."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = fernet.MultiFernet([fernet.Fernet(key) for key in keys]) if keys else None

    def closed(self, owner: str, text: str) -> str:
        """What is kept of the text."""
        if self._keys is None:
            return _CLEAR + text
        return self._keys.encrypt(f"{owner} {text}".encode()).decode()

    def opened(self, owner: str, kept: str) -> str:
        """The text. Raises ValueError when it was sealed for somebody else, or with a key that is not there."""
        if kept.startswith(_CLEAR):
            return kept.removeprefix(_CLEAR)
        if self._keys is None:
            raise ValueError("a sealed secret, and no key")
        try:
            sealed_for, _, text = self._keys.decrypt(kept).decode().partition(" ")
        except fernet.InvalidToken as error:
            raise ValueError("a secret that none of the keys has sealed") from error
        if sealed_for != owner:
            raise ValueError("a secret that was sealed for another account")
        return text


# Without keys.
OPEN = Seal()


def of_folder(folder: Path) -> Seal:
    """The seal with the keys in this folder. Raises SettingsError."""
    paths = sorted(folder.glob("*.seal"), reverse=True)
    try:
        return Seal([path.read_text().strip() for path in paths])
    except ValueError as error:
        raise SettingsError(f"a *.seal file in {folder} is no key: 32 bytes in base64url") from error
