"""Identifiers: UUIDv7 (RFC 9562), as text. They sort by the time they were made, so indexes grow at one end."""

import hashlib
import os
import re
import uuid
from datetime import UTC, datetime

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_BITS = 80
_KEEP = ~(0xF << 76) & ~(0b11 << 62)
# How `new_id` writes them. Every event is looked at several times, and a `UUID` takes ten times as long as a match.
_AS_WRITTEN = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id(now: datetime) -> str:
    """A new UUIDv7 for this moment, in lower-case text."""
    return _of(int(now.timestamp() * 1000), os.urandom(_RANDOM_BITS // 8))


def beneath(owner: str, what: str) -> str:
    """The id of the only `what` of an owner: its UUIDv7's time, and a digest where others have random bits.

    The same question gives the same id at any time, also in a database that was restored to before it was first asked.
    """
    digest = hashlib.sha256(f"{owner}:{what}".encode()).digest()
    return _of(uuid.UUID(owner).int >> _RANDOM_BITS, digest[: _RANDOM_BITS // 8])


def dated(moment: datetime, name: str) -> str:
    """The id of what has this name and happened at this moment: a UUIDv7 with a digest where others have random bits."""
    digest = hashlib.sha256(f"{moment.timestamp()!r}:{name}".encode()).digest()
    return _of(int(moment.timestamp() * 1000), digest[: _RANDOM_BITS // 8])


def named(namespace: str, name: str) -> str:
    """The id of a name within a namespace, which is a UUID: UUIDv5, for what has no time of its own."""
    return str(uuid.uuid5(uuid.UUID(namespace), name))


def _of(milliseconds: int, rest: bytes) -> str:
    bits = milliseconds << _RANDOM_BITS | int.from_bytes(rest, "big")
    digits = f"{(bits & _KEEP) | _VERSION | _VARIANT:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def moment(text: str) -> datetime | None:
    """When a UUIDv7 was made, to the millisecond, by the clock of who made it; None for another UUID.

    Raises ValueError for what is no UUID.
    """
    made = uuid.UUID(text)
    if made.version != _VERSION >> 76:
        return None
    return datetime.fromtimestamp((made.int >> _RANDOM_BITS) / 1000, UTC)


def canonical(text: str) -> str:
    """A UUID as `new_id` writes it, however it is written here. Raises ValueError for what is none."""
    return text if _AS_WRITTEN.fullmatch(text) else str(uuid.UUID(text))


def check(text: str) -> None:
    """Raise ValueError unless this is a UUID as `new_id` writes it."""
    if canonical(text) != text:
        raise ValueError(f"{text!r} is not written as a UUID of ours")


def floor(moment: datetime) -> str:
    """The smallest UUIDv7 of a moment: every id made before it is smaller. For purging by age without a time column."""
    return str(uuid.UUID(int=int(moment.timestamp() * 1000) << _RANDOM_BITS | _VERSION | _VARIANT))
