"""What git knows: the version of this commit, and what the last release looked like."""

import io
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.supervise import problems

RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
SHORT = 8


@dataclass(frozen=True, slots=True)
class Version:
    """A version (Semantic Versioning, and good as an image's tag), the commit it is of, and whether a tag made it."""

    text: str
    commit: str
    release: bool

    @property
    def tag(self) -> str:
        """What its images are tagged with. The registry lets go of tags that begin with `commit-` after a while."""
        return self.text if self.release else f"commit-{self.text}"


@dataclass(frozen=True, slots=True)
class History:
    """The history of one repository. Raises a StackError when git refuses.

    `build`: a number that tells builds of one commit apart, which all push something of their own.
    """

    root: Path
    build: str = ""

    def version(self) -> Version:
        """`1.4.0` for a commit tagged v1.4.0; `1.4.1-dev.7.gabcdef12` for the seventh after it.

        Then `.31` for the 31st build, and `.dirty` when something is not committed. Before the first release it counts the
        commits towards 0.1.0.
        """
        if self._git("rev-parse", "--is-shallow-repository").strip() == "true":
            raise problems.StackError("this clone is shallow: without its history a commit has no version")
        commit = self._git("rev-parse", "HEAD").strip()
        if here := self._releases_here():
            return Version(here[-1].removeprefix("v"), commit, release=True)
        build = f".{self.build}" if self.build else ""
        changed = ".dirty" if self._changed() else ""
        last = self.last_release()
        since = self._git("rev-list", "--count", f"{last}..HEAD" if last else "HEAD").strip()
        return Version(f"{_next(last)}-dev.{since}.g{commit[:SHORT]}{build}{changed}", commit, release=False)

    def last_release(self) -> str:
        """The tag of the newest release before this tree; empty when there is none. A release comes after the one before."""
        here = self._releases_here()
        earlier = [tag for tag in self._releases("--merged", "HEAD") if tag not in here]
        return earlier[-1] if earlier else ""

    def released_by(self, tag: str, last: str) -> bool:
        """Whether `tag` is a release that `last` comes after, or is."""
        known = self._releases("--merged", last)
        return tag in known

    def paths(self, tag: str, folder: str) -> list[str]:
        """The files that a folder held at a tag."""
        return self._git("ls-tree", "-r", "--name-only", tag, "--", folder).splitlines()

    def content(self, tag: str, path: str) -> bytes:
        """A file as it was at a tag."""
        return self._run("show", f"{tag}:{path}")

    def extract(self, tag: str, folder: str, target: Path) -> Path:
        """Write a folder as it was at a tag below `target`. Answers with where it is."""
        with tarfile.open(fileobj=io.BytesIO(self._run("archive", "--format=tar", tag, folder))) as archive:
            archive.extractall(target, filter="data")
        return target / folder

    def _releases_here(self) -> list[str]:
        """The releases that this very tree is."""
        return [] if self._changed() else self._releases("--points-at", "HEAD")

    def _changed(self) -> bool:
        return bool(self._git("status", "--porcelain").strip())

    def _releases(self, *which: str) -> list[str]:
        tags = [tag for tag in self._git("tag", "--list", *which).split() if RELEASE.fullmatch(tag)]
        return sorted(tags, key=_numbers)

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments).decode()

    def _run(self, *arguments: str) -> bytes:
        done = subprocess.run(("git", *arguments), cwd=self.root, capture_output=True, check=False)
        if done.returncode:
            raise problems.StackError(f"git {arguments[0]}: {done.stderr.decode().strip() or done.returncode}")
        return done.stdout


def _numbers(tag: str) -> tuple[int, ...]:
    return tuple(int(part) for part in tag.removeprefix("v").split("."))


def _next(last: str) -> str:
    """The version that comes after a release, if nothing else is said: its patch."""
    if not last:
        return "0.1.0"
    major, minor, patch = _numbers(last)
    return f"{major}.{minor}.{patch + 1}"
