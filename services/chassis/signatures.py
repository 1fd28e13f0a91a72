"""Signatures of webhooks: whether these bytes were sent by who shares a secret with us, and lately.

The code is HMAC-SHA256 over the bytes as they came, compared in constant time. Two secrets may be live at once, so that one
can be changed without refusing anything: whoever signs uses the old one until it is told the new one. `verify` knows Stripe's
scheme (https://docs.stripe.com/webhooks?verify=verify-manually): a header `t=<seconds>,v1=<code>`, the code of `<t>.<body>`.
Without the time in what is signed, whoever saw a webhook could send it again for ever. `verify_body` is for senders that sign
the body alone, whose events must do no harm when they come again: EasyPost's (https://docs.easypost.com/guides/webhooks-guide).
Other headers' codes: `matches`.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Collection
from datetime import datetime

from services.chassis import credentials, errors

# How far the time in a signature may be from ours, either way, in seconds: what Stripe's own libraries take.
TOLERANCE_S = 300
# A header with so many codes is none that a provider sends.
MOST_CODES = 10
_SCHEME = "v1"
_BODY_SCHEME = "hmac-sha256-hex="


def code(secret: str, signed: bytes) -> str:
    """The code of these bytes, in hexadecimal digits."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def matches(secrets: credentials.Credential, signed: bytes, sent: Collection[str]) -> bool:
    """Whether one of these codes, in hexadecimal digits, is that of the bytes by one of the secrets (spaces between them)."""
    ours = [code(secret, signed).encode() for secret in secrets.current().split()]
    theirs = [item.encode() for item in list(sent)[:MOST_CODES]]
    # All are compared, whichever match: how long it takes says nothing.
    return any([hmac.compare_digest(own, other) for own in ours for other in theirs])  # noqa: C419 - all of them


def verify(header: str, body: bytes, secrets: credentials.Credential, *, now: datetime) -> None:
    """Raise SIGNATURE_INVALID unless the header signs this body by one of the secrets, at most `TOLERANCE_S` from now."""
    pairs = [item.strip().partition("=") for item in header.split(",")[: 2 * MOST_CODES]]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise refused()
    signed = times[0].encode() + b"." + body
    if not matches(secrets, signed, [value for name, _, value in pairs if name == _SCHEME]):
        raise refused()
    if abs(now.timestamp() - int(times[0])) > TOLERANCE_S:
        raise refused()


def verify_body(header: str, body: bytes, secrets: credentials.Credential, *, now: datetime) -> None:  # noqa: ARG001 - as `verify`
    """Raise SIGNATURE_INVALID unless the header is `hmac-sha256-hex=` and the code of this body by one of the secrets."""
    normal = credentials.of(unicodedata.normalize("NFKD", secrets.current()))
    if not header.startswith(_BODY_SCHEME) or not matches(normal, body, [header.removeprefix(_BODY_SCHEME)]):
        raise refused()


def refused() -> errors.DomainError:
    """The answer to a signature that does not hold. It does not say why: whoever has the secret need not guess."""
    said = "the signature is missing, does not belong to these bytes, or is too old"
    return errors.DomainError(errors.Code.UNAUTHENTICATED, "SIGNATURE_INVALID", said)
