"""Bills of materials: which packages, by which hashes, an image installs. CycloneDX, from the lock files alone."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.release import history, shell
from scripts.release.build import building
from scripts.stack.supervise import problems

FOLDER = shell.FOLDER / "sbom"
TOOL = Path(sys.executable).with_name("cyclonedx-py")


def write(root: Path, version: history.Version) -> list[Path]:
    """Write one for every image. Answers with where they are. Raises a StackError when a lock file cannot be read."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    bills = {locks: of(root, locks) for locks in {image.locks for image in building.IMAGES}}
    return [_written(root, image, version, bills[image.locks]) for image in building.IMAGES]


def _written(root: Path, image: building.Image, version: history.Version, bill: dict[str, Any]) -> Path:
    component = {"bom-ref": image.short, "type": "container", "name": image.name, "version": version.text}
    named = {**bill, "metadata": {**bill["metadata"], "component": component}}
    path = root / FOLDER / f"{image.short}.cdx.json"
    path.write_text(json.dumps(named, indent=2) + "\n")
    return path


def of(root: Path, locks: Sequence[str]) -> dict[str, Any]:
    """The bill of what some lock files name, the same whenever it is made."""
    try:
        lines = "\n".join((root / lock).read_text() for lock in locks)
    except OSError as missing:
        raise problems.StackError(f"a lock file cannot be read: {missing}") from None
    command = (TOOL, "requirements", "--output-reproducible", "--sv", "1.6", "--of", "JSON", "-")
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        raise problems.StackError(f"cyclonedx-py: {done.stderr.strip()}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill
