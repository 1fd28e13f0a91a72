"""Folders made once for each machine, by one command at a time, and kept under a name that says what they are made from.

A folder takes its place when all of it is there: whoever looks meanwhile sees all or nothing. What a command downloaded and
compiled on the way (`Build.scratch`) stays when it fails or is killed, so that the next one goes on from there, and is removed
once nothing is missing.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.supervise import problems, progress


@dataclass(frozen=True, slots=True)
class Build:
    """A build under way: where it keeps what is wanted only while it runs, and the lock that it holds."""

    scratch: Path
    lock: int

    def run(
        self, command: Sequence[str | Path], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a command: what it printed. Raises a StackError when it fails."""
        # The command holds the lock too: if this process is killed, nobody builds beside what it left running.
        done = subprocess.run(
            command, cwd=folder, env=environment, pass_fds=(self.lock,), capture_output=True, text=True, check=False
        )
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
            shown = " ".join([Path(command[0]).name, *map(str, command[1:])])
            raise problems.StackError(f"`{shown}` failed: {' / '.join(words[-3:])}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class Folder:
    """What is kept: `home` is where, `doing` what is said while it is made. `fill` is given the folder to fill."""

    name: str
    home: Path
    doing: str
    fill: Callable[[Path, Build], None]


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of `~/.cache/souk` (or XDG_CACHE_HOME). `space` is how many bytes a build takes at its fullest."""

    name: str
    space: int

    @property
    def path(self) -> Path:
        """Where it is on this machine."""
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(base) / "souk" / self.name

    def make(self, wanted: Sequence[Folder], report: progress.Progress) -> None:
        """Make those that are not there yet. Raises a StackError when one can't be made or the disk is too full.

        What a machine brings along (SOUK_TOOLS, a folder like the one of all caches) is taken from there, and never changed.
        """
        for folder in _missing(wanted):
            self._bring(folder)
        if not _missing(wanted):
            return
        with self._alone(report) as build:
            # Another command may have made them in the meantime.
            missing = _missing(wanted)
            if not missing:
                return
            problems.require_space(self.path, self.space - _size(build.scratch))
            for folder in missing:
                report.say(folder.name, folder.doing)
                _make(folder, build)
                report.say(folder.name, f"made: {folder.home}")
            shutil.rmtree(build.scratch)

    def _bring(self, folder: Folder) -> None:
        brought = Path(os.environ.get("SOUK_TOOLS") or "/nowhere") / self.name / folder.home.name
        if brought.is_dir():
            self.path.mkdir(parents=True, exist_ok=True)
            # Another command may do so at the same time.
            with contextlib.suppress(FileExistsError):
                folder.home.symlink_to(brought)

    @contextlib.contextmanager
    def _alone(self, report: progress.Progress) -> Iterator[Build]:
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "building.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report.say(self.name, "another command is building its tools: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield Build(self.path / "building", lock.fileno())


def _missing(wanted: Sequence[Folder]) -> list[Folder]:
    return [folder for folder in wanted if not folder.home.is_dir()]


def _make(folder: Folder, build: Build) -> None:
    unfinished = build.scratch / folder.home.name
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    folder.fill(unfinished, build)
    unfinished.rename(folder.home)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
