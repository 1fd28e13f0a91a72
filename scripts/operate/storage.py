"""Files that are there whole or not at all, and secrets that only their owner reads."""

import os
from pathlib import Path

PRIVATE = 0o600


def write(path: Path, text: str, *, mode: int = PRIVATE) -> None:
    """Write `text` so that a reader, or a crash, never sees half of it. Makes the folder when it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    building.replace(path)
