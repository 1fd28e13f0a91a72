"""The broker's jars: exactly those that kafka.lock pins, kept in the cache under their coordinates."""

from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).with_name("kafka.lock")


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar's coordinate (`group:artifact:version`) and the SHA-256 of its contents."""

    coordinate: str
    sha256: str

    def path(self, repository: Path) -> Path:
        """Where the jar lies in a repository of Maven's layout."""
        group, artifact, version = self.coordinate.split(":")
        return repository / group.replace(".", "/") / artifact / version / f"{artifact}-{version}.jar"


def pinned(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The jars that kafka.lock names."""
    lines = (line for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(Jar(*line.split(" sha256:")) for line in lines)
