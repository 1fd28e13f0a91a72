"""The values and rules of cart: pure, without I/O."""

from dataclasses import dataclass

from services.chassis import errors


@dataclass(frozen=True, slots=True)
class Entry:
    """What one person keeps. version counts its changes, from 1."""

    user_id: str
    text: str
    version: int


def kept(text: str, *, most: int) -> str:
    """The text as it is kept. Raises ENTRY_TOO_LONG for one with more than `most` characters."""
    stripped = text.strip()
    if len(stripped) > most:
        said = f"the text has {len(stripped)} characters, at most {most} are kept"
        raise errors.invalid(
            "ENTRY_TOO_LONG", said, errors.Violation("text", said), length=str(len(stripped)), most=str(most)
        )
    return stripped
