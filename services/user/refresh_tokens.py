"""Refresh tokens: 256 random bits as text, of which only a hash is kept.

The hash is SHA-256 without a salt: what it hides is random and as long as the hash, so there is nothing to guess.
"""

import hashlib
import secrets
from datetime import datetime

from services.user import domain

BYTES = 32


def new(expire_time: datetime) -> domain.RefreshToken:
    """A token that nobody else has."""
    text = secrets.token_urlsafe(BYTES)
    return domain.RefreshToken(text, digest(text), expire_time)


def digest(text: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(text.encode()).digest()
