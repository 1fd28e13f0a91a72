"""What can go wrong, in one line that says what to do. The command line prints a StackError and nothing else."""

import errno
import shutil
from pathlib import Path

from scripts.stack.supervise import sizes


class StackError(Exception):
    """Something the person at the keyboard can mend: the message is one line and says how."""


def require_space(folder: Path, needed: int, *, free: int | None = None) -> None:
    """Raise a StackError unless the disk under `folder` has `needed` bytes free. `free` replaces the measurement."""
    available = shutil.disk_usage(_existing(folder)).free if free is None else free
    if available < needed:
        raise StackError(
            f"the disk of {folder} has {sizes.human(available)} free and {sizes.human(needed)} are needed: "
            "free some space (`make clean` removes this stack's data) and run again"
        )


def is_disk_full(error: OSError) -> bool:
    """Tell whether an operating system error means that no space (or quota) is left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
