"""Jars of servers: exactly those that a lock file pins, kept in the cache under their coordinates."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar's coordinate (`group:artifact:version`) and the SHA-256 of its contents."""

    coordinate: str
    sha256: str

    def path(self, repository: Path) -> Path:
        """Where the jar lies in a repository of Maven's layout."""
        group, artifact, version = self.coordinate.split(":")
        return repository / group.replace(".", "/") / artifact / version / f"{artifact}-{version}.jar"


def read(lock: Path) -> tuple[Jar, ...]:
    """The jars that a lock file names."""
    lines = (line for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(Jar(*line.split(" sha256:")) for line in lines)
