"""Recovery codes: 80 random bits each, as four groups of letters and digits. Like refresh tokens they are kept as digests."""

import base64
import secrets
from collections.abc import Sequence

from services.user import refresh_tokens
from services.user.domain import second_factors

BYTES = 10


def new() -> Sequence[str]:
    """Codes that nobody else has."""
    return [
        _grouped(base64.b32encode(secrets.token_bytes(BYTES)).decode()) for _ in range(second_factors.RECOVERY_CODES)
    ]


def digest(code: str) -> bytes:
    """What is kept of a code, however it is typed."""
    return refresh_tokens.digest(second_factors.kept(code))


def _grouped(text: str) -> str:
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
