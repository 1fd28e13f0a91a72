"""Files that are there whole or not at all, and files and folders that nobody but their owner may read."""

import os
from pathlib import Path

PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
# What a process is started with that writes personal data or secrets: all that it makes is its owner's alone.
PRIVATE_UMASK = 0o077


def write(path: Path, text: str, *, mode: int = PRIVATE) -> None:
    """Write `text` so that a reader, or a crash, never sees half of it. Makes its folder, private, when it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    building.replace(path)


def private_folder(path: Path) -> None:
    """Make the folder, or close one that others could enter: nobody but its owner sees what is in it."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    path.chmod(PRIVATE_FOLDER)
