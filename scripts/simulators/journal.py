"""A simulator's journal: its memory and its testimony, one JSON line per entry.

A line is handed to the operating system before the answer it records leaves, so that a `kill -9` loses nothing that anyone was
told. Memory holds only where each line stands; what a line says is read from the file.
"""

import errno
import fcntl
import json
import os
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

Line = dict[str, Any]


class JournalInUse(Exception):  # noqa: N818 - the other process is right, this one is late
    """Another process writes this journal."""


class Journal:
    """An append-only file. One process may have it open: for a second `open` raises JournalInUse."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ends = array("Q", [0])

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file and learn what it says. A line that a crash cut short is dropped: its answer never left."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(descriptor)
            raise JournalInUse(str(path)) from taken
        journal = cls(descriptor)
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    journal._ends.append(journal._ends[-1] + len(line))
        os.ftruncate(descriptor, journal._ends[-1])
        return journal

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def append(self, entry: Line) -> int:
        """Write the entry, with its number and the time: its place. Raises OSError when it can't be kept."""
        seen = {"seq": len(self._ends), "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        line = json.dumps(seen | entry, separators=(",", ":")).encode() + b"\n"
        if os.write(self._descriptor, line) != len(line):
            os.ftruncate(self._descriptor, self._ends[-1])
            raise OSError(errno.ENOSPC, "the journal can't grow")
        self._ends.append(self._ends[-1] + len(line))
        return len(self._ends) - 2

    def line(self, place: int) -> Line:
        """What stands at a place."""
        start, end = self._ends[place], self._ends[place + 1]
        found: Line = json.loads(os.pread(self._descriptor, end - start, start))
        return found

    def __iter__(self) -> Iterator[Line]:
        """All lines, oldest first."""
        return (self.line(place) for place in range(len(self._ends) - 1))
