"""One command at a time changes a stack; a second one is told who is at work instead of meddling."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from scripts.stack.supervise import problems


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the stack that keeps its things in `folder` while the block runs. Raises a StackError when another command holds it.

    The lock is the kernel's: it ends with the process that holds it, however that ends.
    """
    path = folder.with_name(f"{folder.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise problems.StackError(
                f"another command is at work on the stack {folder.name} (pid {file.read().strip()}): wait until it is done"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
