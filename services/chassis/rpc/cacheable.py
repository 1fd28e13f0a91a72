"""Answers that browsers and caches on the way may keep. The edge answers `If-None-Match` by the tag: 304 without a body."""

import hashlib
from typing import Any


def tag_of(answer: bytes) -> str:
    """A tag of exactly this answer: the same in every process, as long as it was serialised deterministically."""
    return hashlib.blake2b(answer, digest_size=12).hexdigest()


async def announce(context: Any, tag: str, control: str) -> None:
    """Send the headers: the `ETag` made of this tag, and `Cache-Control`.

    The tag is weak because the edge may compress the answer.
    """
    await context.send_initial_metadata((("etag", f'W/"{tag}"'), ("cache-control", control)))
