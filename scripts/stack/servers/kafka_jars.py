"""The broker's jars: exactly those that kafka.lock pins, kept in the cache under their coordinates."""

import threading
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.supervise import progress

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


def class_path(cache: Path, report: progress.Progress, *, cancelled: threading.Event | None = None) -> str:
    """The class path of the broker; missing jars are downloaded. Raises a StackError when one cannot be had."""
    repository = cache / "maven"
    jars = pinned()
    if missing := [jar for jar in jars if not jar.path(repository).exists()]:
        from scripts.stack.servers import kafka_downloads  # noqa: PLC0415 - most runs download nothing

        kafka_downloads.download(repository, missing, report, cancelled or threading.Event())
    return ":".join(str(jar.path(repository)) for jar in jars)
