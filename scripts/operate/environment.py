"""Where a program finds the shop: in its environment, else in the env file that the local stack of this folder wrote."""

import contextlib
import os
import shlex
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parents[2] / ".souk" / "env"


def here() -> dict[str, str]:
    """The environment of this process, over what the local stack says."""
    return load(ENV_FILE) | dict(os.environ)


def load(path: Path) -> dict[str, str]:
    """Read an env file back; an absent one is empty."""
    with contextlib.suppress(FileNotFoundError):
        assignments = (line for line in shlex.split(path.read_text(), comments=True) if "=" in line)
        return dict(assignment.split("=", 1) for assignment in assignments)
    return {}
