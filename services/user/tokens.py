"""Access tokens: JWTs signed with ES256, and the public keys that verify them.

Private keys are PEM files (EC, P-256) in one folder; a file's stem is the key's id. The newest by name signs, all are
published: a key is rotated in by adding a file and rotated out by removing it once its last token has ended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.chassis import assembly, ids
from services.chassis.rpc import identity
from services.chassis.settings import SettingsError
from services.user import domain

CURVE = "P-256"


class KeyRing:
    """The signing keys of this installation, by id."""

    def __init__(self, keys: Mapping[str, ec.EllipticCurvePrivateKey]) -> None:
        self._newest = max(keys)
        self._signs = keys[self._newest]
        self.public = tuple(_public(key_id, key) for key_id, key in sorted(keys.items()))

    async def verifying(self) -> Mapping[str, jwt.PyJWK]:
        """The public keys as verifiers want them: what other services fetch by a call."""
        return assembly.keys_of(jwks(self.public))

    def sign(self, claims: Mapping[str, object]) -> str:
        """A token with these claims, signed with the newest key."""
        return jwt.encode(dict(claims), self._signs, algorithm=identity.ALGORITHM, headers={"kid": self._newest})


def load(folder: Path) -> KeyRing:
    """The key ring in a folder. Raises SettingsError when there is none, or a file that is no such key."""
    files = sorted(folder.glob("*.pem"))
    if not files:
        raise SettingsError(f"USER_SIGNING_KEY_DIR: {folder} has no *.pem file: it needs an EC P-256 private key")
    return KeyRing({file.stem: _private(file) for file in files})


def jwks(keys: Sequence[domain.PublicKey]) -> list[dict[str, str]]:
    """The members of a JWK set (RFC 7517)."""
    fixed = {"kty": "EC", "crv": CURVE, "alg": identity.ALGORITHM, "use": "sig"}
    return [{**fixed, "kid": key.id, "x": key.x, "y": key.y} for key in keys]


class Signer:
    """Makes access tokens in the name of `issuer` that end after `lifetime`."""

    def __init__(self, keys: KeyRing, issuer: identity.Issuer, lifetime: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self._lifetime = lifetime

    @property
    def public_keys(self) -> Sequence[domain.PublicKey]:
        """The keys that verify what this signs, and what was signed with older ones."""
        return self._keys.public

    def sign(self, user: domain.User, now: datetime) -> domain.Access:
        """A token that counts from now."""
        begun = now.replace(microsecond=0)
        ends = begun + self._lifetime
        claims = {
            "iss": self._issuer.issuer,
            "aud": self._issuer.audience,
            "sub": user.id,
            "roles": [str(role) for role in user.roles],
            "iat": int(begun.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": ids.new_id(now),
        }
        return domain.Access(self._keys.sign(claims), ends)


def _private(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, OSError) as error:
        raise SettingsError(f"USER_SIGNING_KEY_DIR: {file} cannot be read as a private key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError(f"USER_SIGNING_KEY_DIR: {file} is no key on the curve {CURVE}")
    return key


def _public(key_id: str, key: ec.EllipticCurvePrivateKey) -> domain.PublicKey:
    point = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return domain.PublicKey(key_id, str(point["x"]), str(point["y"]))
