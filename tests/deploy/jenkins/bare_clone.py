"""A clone of this repository as an agent has it before its first command: what git knows, and nothing that was set up."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from scripts.stack import layout


def made(folder: Path) -> Path:
    """Clone into a folder, with what is changed here and not yet committed. Answers with the clone."""
    clone = folder / "clone"
    git("clone", "--quiet", f"file://{layout.ROOT}", str(clone))
    for path in _changed():
        if (layout.ROOT / path).exists():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(layout.ROOT / path, clone / path)
        else:
            (clone / path).unlink(missing_ok=True)
    return clone


def git(*arguments: str) -> str:
    """What git says here. Raises CalledProcessError."""
    command = ("git", *arguments)
    return subprocess.run(command, cwd=layout.ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - git


def _changed() -> Iterator[str]:
    """Files that are not as they are in the last commit."""
    yield from git("diff", "--name-only", "HEAD").splitlines()
    yield from git("ls-files", "--others", "--exclude-standard").splitlines()
