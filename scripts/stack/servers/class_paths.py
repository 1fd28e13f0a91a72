"""The class path of a server that Java runs: the jars of its lock file, downloaded where they are missing."""

import threading
from pathlib import Path

from scripts.stack.servers import pinned_jars
from scripts.stack.supervise import progress


def of(lock: Path, cache: Path, report: progress.Progress, *, cancelled: threading.Event | None = None) -> str:
    """The class path of the jars that a lock file names. Raises a StackError when one cannot be had."""
    repository = cache / "maven"
    jars = pinned_jars.read(lock)
    if missing := [jar for jar in jars if not jar.path(repository).exists()]:
        from scripts.stack.servers import jar_downloads  # noqa: PLC0415 - most runs download nothing

        jar_downloads.download(repository, missing, report, cancelled or threading.Event())
    return ":".join(str(jar.path(repository)) for jar in jars)
