"""Access tokens: JWTs signed with ES256, and the public keys that verify them.

Private keys are PEM files (EC, P-256) in one folder; a file's stem is the key's id. All are published, and the newest by name
signs. The folder is looked at again while the process runs, so keys are changed as the secret is that is mounted there. A
key is rotated in by adding a file: it is published at once and signs some minutes later, when the edge and the services
have fetched it. A key is rotated out by removing its file once the last token it signed has expired.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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

_LOG = logging.getLogger(__name__)

CURVE = "P-256"
# The folder is looked at again this often at most, in seconds.
LOOK_EVERY_S = 1.0
# So long a key is published before it signs: a kubelet brings a changed secret to all replicas within some two minutes, and
# the edge asks one of them for the keys every minute. In seconds.
PUBLISHED_S = 300.0

# Which files there are, and in which state.
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Key:
    """A key and its public half. since is when it was first seen here, by the ring's clock."""

    private: ec.EllipticCurvePrivateKey
    public: domain.PublicKey
    since: float


class KeyRing:
    """The signing keys in a folder, as its files are by now.

    Raises SettingsError when there are none to begin with, or a file that is no such key.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._stamp = _stamp(folder)
        self._keys = _read(folder, {}, float("-inf"))
        # Of the keys that were there before us the newest may be new to others too; those before it are not.
        newest = max(self._keys)
        self._keys[newest] = replace(self._keys[newest], since=clock())
        self._look_at = clock() + LOOK_EVERY_S

    @property
    def public(self) -> Sequence[domain.PublicKey]:
        """The public halves of all keys, by id."""
        return tuple(key.public for _, key in sorted(self._current().items()))

    async def verifying(self) -> Mapping[str, jwt.PyJWK]:
        """The public keys as verifiers want them: what other services fetch by a call."""
        return assembly.keys_of(jwks(self.public))

    def sign(self, claims: Mapping[str, object]) -> str:
        """A token with these claims, signed with the newest key that has been published for long enough."""
        keys = self._current()
        before = self._clock() - PUBLISHED_S
        # When all are new, as one is alone, there is nothing to wait for.
        key_id = max((name for name, key in keys.items() if key.since <= before), default=max(keys))
        return jwt.encode(dict(claims), keys[key_id].private, identity.ALGORITHM, headers={"kid": key_id})

    def _current(self) -> Mapping[str, _Key]:
        """The keys in the folder; those that were good while it holds none or one that cannot be read."""
        if (now := self._clock()) >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            if (stamp := _stamp(self._folder)) != self._stamp:
                self._stamp = stamp
                try:
                    self._keys = _read(self._folder, self._keys, now)
                except SettingsError as error:
                    _LOG.error("signing keys stay as they were", extra={"cause": str(error)})
                else:
                    _LOG.warning("signing keys changed", extra={"keys": ",".join(sorted(self._keys))})
        return self._keys


def _stamp(folder: Path) -> Stamp:
    states = []
    for file in sorted(folder.glob("*.pem")):
        try:
            state = file.stat()
        except OSError:
            continue  # in the middle of a change: the next look sees the rest
        states.append((file.name, state.st_ino, state.st_mtime_ns))
    return tuple(states)


def _read(folder: Path, known: Mapping[str, _Key], now: float) -> dict[str, _Key]:
    """All keys in the folder; those that are not known are new now. Raises SettingsError."""
    files = sorted(folder.glob("*.pem"))
    if not files:
        raise SettingsError(f"USER_SIGNING_KEY_DIR: {folder} has no *.pem file: it needs an EC P-256 private key")
    keys = {}
    for file in files:
        private = _private(file)
        public = _public(file.stem, private)
        same = file.stem in known and known[file.stem].public == public
        keys[file.stem] = known[file.stem] if same else _Key(private, public, now)
    return keys


def jwks(keys: Sequence[domain.PublicKey]) -> list[dict[str, str]]:
    """The members of a JWK set (RFC 7517)."""
    fixed = {"kty": "EC", "crv": CURVE, "alg": identity.ALGORITHM, "use": "sig"}
    return [{**fixed, "kid": key.id, "x": key.x, "y": key.y} for key in keys]


class Signer:
    """Makes access tokens in the name of `issuer` that expire after `lifetime`."""

    def __init__(self, keys: KeyRing, issuer: identity.Issuer, lifetime: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self._lifetime = lifetime

    @property
    def lifetime(self) -> timedelta:
        """How long an access token counts."""
        return self._lifetime

    @property
    def public_keys(self) -> Sequence[domain.PublicKey]:
        """The keys that verify what this signs, and what was signed with older ones."""
        return self._keys.public

    def sign(self, user: domain.User, family_id: str, now: datetime) -> domain.Access:
        """A token of this sign-in that counts from now, until it expires or is revoked."""
        begun = now.replace(microsecond=0)
        ends = begun + self._lifetime
        claims = {
            "iss": self._issuer.issuer,
            "aud": self._issuer.audience,
            "sub": user.id,
            "roles": [str(role) for role in user.roles],
            # By these it can be revoked: with its sign-in, or by a later version of the account.
            identity.SIGN_IN: family_id,
            identity.VERSION: user.version,
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
