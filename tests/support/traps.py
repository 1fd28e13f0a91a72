"""Traps: the line at which a service's process shall die by `kill -9`, told to it by a file.

A test sets a trap; the process (`tests/support/trapped.py`) looks at each line that can have one. The trap is gone before the
process dies, so that the next one lives. What is done at the moment, and about what, goes along with the asyncio task.
"""

import contextvars
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import mortal

FILE = "TRAP_FILE"

DOING = contextvars.ContextVar("doing", default="call")
ABOUT: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("about", default=frozenset())


@dataclass(frozen=True, slots=True)
class Trap:
    """Die when the line `at` is passed with something about `about`: the name of an event, or what is asked of the outside.

    A line is what is being done (call, consumer, relay, timer, effect, parked) and how far it is (written, committed, ...).
    """

    at: str
    about: str

    def set(self, file: Path) -> None:
        """Let the process that looks at this file die there, once."""
        _write(file, f"{self.at}|{self.about}")

    def spoil(self, file: Path) -> None:
        """Let the process that looks at this file fail there, until `heal`."""
        _write(_spoiled(file), f"{self.at}|{self.about}")


def heal(file: Path) -> None:
    """Nothing fails any more."""
    _spoiled(file).unlink(missing_ok=True)


def note(file: Path) -> Path:
    """Where the pid of the process that died in a trap is written down. It is started again when this is gone."""
    return file.with_suffix(".died")


def note_death(pid: int) -> None:
    """The process of this trap file was killed."""
    _write(note(Path(os.environ[FILE])), str(pid))


def is_dead() -> bool:
    """Tell whether the process of this trap file was killed and shall not live again yet."""
    return note(Path(os.environ[FILE])).exists()


def passes(moment: str, *about: str) -> None:
    """This process has come to a line: it dies here when the trap that is set says so. Raises ValueError where it is spoiled."""
    file = Path(os.environ[FILE])
    if _is_meant(file, moment, about):
        file.unlink()
        mortal.die()
    if _is_meant(_spoiled(file), moment, about):
        raise ValueError(f"{DOING.get()} {moment} is spoiled")


def _is_meant(file: Path, moment: str, about: Sequence[str]) -> bool:
    if not file.exists():
        return False
    at, _, wanted = file.read_text().partition("|")
    return at == f"{DOING.get()} {moment}" and wanted in ABOUT.get().union(about)


def _spoiled(file: Path) -> Path:
    return file.with_suffix(".spoiled")


def _write(file: Path, text: str) -> None:
    """Whoever reads it sees all of it, or nothing."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.rename(file)
