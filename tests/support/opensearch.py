"""A node of OpenSearch for tests: started for those that need one, killed at their end."""

import fcntl
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.stack.servers import opensearch
from scripts.stack.supervise import progress
from tests.support import servers

START_S = 300.0
SMALL = opensearch.Size()
_LISTENS = re.compile(r"AbstractHttpServerTransport\] publish_address \{([^}]+)\}")


@contextmanager
def running(folder: Path, size: opensearch.Size = SMALL) -> Iterator[str]:
    """A node with its data in this folder, as it was when it was killed before: its URL. Killed at the block's end."""
    with killable(folder, size) as (url, _):
        yield url


@contextmanager
def killable(folder: Path, size: opensearch.Size = SMALL) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, with its process."""
    command = opensearch.command(folder, _jars(), size)
    log = folder / "log.txt"
    with (
        log.open("wb") as file,
        subprocess.Popen(command, env=opensearch.environment(), stdout=file, stderr=file) as process,  # noqa: S603 - ours
    ):
        try:
            yield f"http://{_address(log, process)}", process
        finally:
            process.kill()


def _jars() -> str:
    """The class path; what is missing is downloaded by one process at a time."""
    cache = servers.STACK.cache
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "opensearch.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return opensearch.class_path(cache, progress.Silent())


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + START_S
    while True:
        said = log.read_text()
        if "] started\n" in said and (found := _LISTENS.search(said)):
            return found[1]
        assert process.poll() is None, said[-2000:]
        assert time.monotonic() < until, said[-2000:]
        time.sleep(0.1)
