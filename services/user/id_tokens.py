"""ID tokens of OpenID providers: what must hold of one before it says who somebody is (OpenID Connect Core, section 3.1.3.7).

Authlib knows the claims and joserfc the signatures; what they are compared with is said here, all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import errors as jose
from joserfc import jwt
from joserfc.jwk import KeySet

# Asymmetric ones alone: with `HS256` the secret that we share with the provider would sign, and with `none` anybody.
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
CLOCKS_APART = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say: who made it, for whom, in answer to what; and which access token came with it."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)


class WrongError(Exception):
    """The token does not hold."""


class UnknownKeyError(WrongError):
    """The token names a key that is not among those that were given: the provider may have changed them."""


def claims(text: str, keys: KeySet, expected: Expected, now: datetime) -> Mapping[str, Any]:
    """What an ID token says. Raises UnknownKeyError or WrongError."""
    try:
        token = jwt.decode(text, keys, algorithms=ALGORITHMS)
        said = CodeIDToken(token.claims, token.header, _options(expected), _answers(expected))
        said.validate(int(now.timestamp()), int(CLOCKS_APART.total_seconds()))
    except jose.InvalidKeyIdError as error:
        raise UnknownKeyError(str(error)) from error
    except (jose.JoseError, ValueError, TypeError) as error:
        raise WrongError(repr(error)) from error
    return dict(said)


def _options(expected: Expected) -> dict[str, dict[str, Any]]:
    return {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "nonce": {"essential": True, "value": expected.nonce},
        "sub": {"essential": True},
    }


def _answers(expected: Expected) -> dict[str, str]:
    return {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
