"""The simulators of what lies outside (provider, carrier, mail server), run as processes for as long as a block lasts."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
END_S = 10
ANYWHERE = "127.0.0.1:0"


@contextmanager
def provider(folder: Path) -> Iterator[str]:
    """A payment provider: its URL. Its log lies in `folder`."""
    with _running("scripts.simulators.provider", "--listen", ANYWHERE, "--state", str(folder)) as address:
        yield f"http://{address}"


@contextmanager
def carrier(folder: Path, *, speed: float = 0.0) -> Iterator[str]:
    """A carrier whose clock runs at this speed: its URL. Its log lies in `folder`."""
    options = ("--state", str(folder), "--speed", str(speed))
    with _running("scripts.simulators.carrier", "--listen", ANYWHERE, *options) as address:
        yield f"http://{address}"


@contextmanager
def mail_server(folder: Path, *, listen: str = ANYWHERE) -> Iterator[str]:
    """A mail server: its URL. What it was sent lies in `folder`."""
    with _running("scripts.simulators.mail", "--listen", listen, "--store", str(folder)) as address:
        yield f"smtp://{address}"


@contextmanager
def _running(module: str, *arguments: str) -> Iterator[str]:
    command = [sys.executable, "-m", module, *arguments]
    # The programs are this repository's own.
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            # It says where it listens as soon as it does; when it cannot start, the line is empty.
            address = process.stdout.readline().rpartition("://")[2].strip()
            assert address, f"{module} did not start"
            yield address
        finally:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
