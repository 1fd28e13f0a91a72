"""One command at a time changes a stack; a second one is told who is at work instead of meddling."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from scripts.stack import layout
from scripts.stack.supervise import problems


@contextlib.contextmanager
def exclusive(stack: layout.Stack) -> Iterator[None]:
    """Hold the stack while the block runs. Raises a StackError when another command holds it.

    The lock is the kernel's: it ends with the process that holds it, however that ends.
    """
    path = stack.folder.with_name(f"{stack.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise problems.StackError(
                f"another command is at work on the stack {stack.name} (pid {file.read().strip()}): wait until it is done"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
