"""What a release consists of, by digest, and where it has proved itself: what later stages and other agents go by."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from scripts.release import shell
from scripts.stack.supervise import problems

FILE = shell.FOLDER / "digests.json"


@dataclass(frozen=True, slots=True)
class Record:
    """Version and commit, the registry, and the digest of every image and of the chart (empty until it is pushed)."""

    version: str
    commit: str
    registry: str
    images: dict[str, str]
    chart: str = ""

    def image(self, name: str) -> str:
        """The image as a registry and Kubernetes know it: by digest."""
        return f"{self.registry}/souk/{name}@{self.images[name]}"

    @property
    def chart_reference(self) -> str:
        """The chart as a signature names it."""
        return f"{self.registry}/souk/charts/souk@{self.chart}"


def write(root: Path, record: Record) -> None:
    """Keep the record."""
    path = root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dataclasses.asdict(record), indent=2, sort_keys=True) + "\n")


def read(root: Path) -> Record:
    """The record. Raises a StackError when nothing was pushed."""
    try:
        return Record(**json.loads((root / FILE).read_text()))
    except FileNotFoundError:
        raise problems.StackError(f"{FILE} is not there: `make images-push` writes it") from None


def verified(root: Path, environment: str) -> None:
    """Note that exactly this release did well in an environment."""
    path = _proof(root, environment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_sum(root) + "\n")


def require_verified(root: Path, environment: str) -> None:
    """Raise a StackError unless exactly this release did well in that environment."""
    path = _proof(root, environment)
    if not path.exists():
        raise problems.StackError(f"this release was not verified in {environment}: it does not go further")
    if path.read_text().strip() != _sum(root):
        raise problems.StackError(f"other digests than these were verified in {environment}: they do not go further")


def _proof(root: Path, environment: str) -> Path:
    return root / shell.FOLDER / "verified" / environment


def _sum(root: Path) -> str:
    return hashlib.sha256((root / FILE).read_bytes()).hexdigest()
