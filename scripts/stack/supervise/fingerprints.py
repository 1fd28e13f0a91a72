"""Fingerprints: what a running process was started with, so that a change of settings or code is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

SUFFIXES = {".py", ".sql", ".yaml", ".html", ".j2", ".txt"}


def of(command: Sequence[str], environment: Mapping[str, str], sources: Iterable[Path] = ()) -> str:
    """A fingerprint of a command, the settings in its environment and the files it is made of."""
    digest = hashlib.sha256(json.dumps([list(command), sorted(environment.items())]).encode())
    for path in files(sources):
        digest.update(str(path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def files(sources: Iterable[Path]) -> list[Path]:
    """The files that count: those named, and of a folder those of a kind that changes how a program behaves."""
    found: set[Path] = set()
    for source in sources:
        found |= {source} if source.is_file() else {path for path in source.rglob("*") if path.suffix in SUFFIXES}
    return sorted(found)
