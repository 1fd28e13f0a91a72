"""`make logs`: what every process of the stack writes, as it is written, each line behind the process's name."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

LINES_BEFORE = 10
PAUSE_S = 0.2


@dataclass(slots=True)
class Followed:
    """A log that is read as it grows; a file that was rotated is opened anew."""

    path: Path
    _file: BinaryIO | None = None
    _rest: bytes = field(default=b"")

    def fresh(self) -> list[str]:
        """The whole lines written since the last call; the first call gives the last few."""
        if self._file is None:
            return self._open(LINES_BEFORE)
        lines = self._whole_lines(self._file.read())
        if self._rotated(self._file):
            self._file.close()
            lines += self._open(None)
        return lines

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()

    def _open(self, last: int | None) -> list[str]:
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            return []
        lines = self._whole_lines(self._file.read())
        return lines if last is None else lines[-last:]

    def _whole_lines(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in whole]

    def _rotated(self, file: BinaryIO) -> bool:
        try:
            return self.path.stat().st_size < file.tell()
        except FileNotFoundError:
            return False


def follow(folder: Path, names: Sequence[str] = (), out: TextIO | None = None) -> None:
    """Write the named processes' logs (all of the folder without a name) until interrupted."""
    followed: dict[str, Followed] = {}
    while True:
        for path in sorted(folder.glob("*.log")):
            if not names or path.stem in names:
                followed.setdefault(path.stem, Followed(path))
        for name, log in followed.items():
            for line in log.fresh():
                print(f"{name:<13}| {line}", file=out or sys.stdout, flush=True)
        time.sleep(PAUSE_S)


def tail(folder: Path, lines: int, out: TextIO | None = None) -> None:
    """Write the last lines of every log of the folder, one log after the other."""
    for path in sorted(folder.glob("*.log")):
        print(f"--- {path.name}", file=out or sys.stdout)
        print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]), file=out or sys.stdout)
