"""Identifiers: UUIDv7 (RFC 9562), as text. They sort by the time they were made, so indexes grow at one end."""

import os
import uuid
from datetime import datetime

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_BITS = 80
_KEEP = ~(0xF << 76) & ~(0b11 << 62)


def new_id(now: datetime) -> str:
    """A new UUIDv7 for this moment, in lower-case text."""
    milliseconds = int(now.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    return str(uuid.UUID(int=((milliseconds << _RANDOM_BITS | random) & _KEEP) | _VERSION | _VARIANT))


def check(text: str) -> None:
    """Raise ValueError unless this is a UUID as `new_id` writes it."""
    if str(uuid.UUID(text)) != text:
        raise ValueError(f"{text!r} is not written as a UUID of ours")


def floor(moment: datetime) -> str:
    """The smallest UUIDv7 of a moment: every id made before it is smaller. For purging by age without a time column."""
    return str(uuid.UUID(int=int(moment.timestamp() * 1000) << _RANDOM_BITS | _VERSION | _VARIANT))
