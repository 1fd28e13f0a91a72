"""Passwords and keys of one stack: random, made once per install, each in a file that only its owner reads."""

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

from scripts.operate import storage


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets under one folder; each is made when it is first asked for."""

    folder: Path

    def password(self, name: str) -> str:
        """The password kept under `name`."""
        path = self.password_file(name)
        return path.read_text().strip()

    def password_file(self, name: str) -> Path:
        """The file with the password kept under `name`."""
        return self._kept(f"{name}_password", secrets.token_urlsafe(18))

    def keep_password(self, name: str, password: str) -> Path:
        """Keep a password somebody chose; answers its file."""
        path = self.folder / f"{name}_password"
        if not path.exists() or path.read_text() != password:
            storage.write(path, password)
        return path

    def mesh_key_file(self) -> Path:
        """32 random bytes, as hex, with which services sign who they are."""
        return self._kept("mesh_key", secrets.token_hex(32))

    def signing_keys(self) -> Path:
        """The folder with the private keys (EC P-256, PEM) that sign users' tokens; a file's stem is the key's id.

        The key beside them (`services/user/sealing.py`) seals what authenticators share with us.
        """
        folder = self.folder / "signing"
        if not any(folder.glob("*.pem")):
            storage.write(folder / f"{secrets.token_hex(4)}.pem", _new_signing_key())
        if not any(folder.glob("*.seal")):
            storage.write(folder / "1.seal", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        return folder

    def _kept(self, name: str, fresh: str) -> Path:
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            storage.write(path, fresh)
        return path


def role(service: str) -> str:
    """The name of a service's role at the database server, which is its database's name too."""
    return f"souk_{service}"


def _new_signing_key() -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - needed once per install
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - needed once per install

    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
