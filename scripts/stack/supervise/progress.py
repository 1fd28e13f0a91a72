"""Progress lines: seconds since the start, which part, what it does. Several threads may report at once."""

import sys
import threading
import time
from typing import TextIO


class Progress:
    """Prints `  3.2s  kafka         ready` lines; the clock starts when it is made."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._started = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Seconds since this progress was made."""
        return time.monotonic() - self._started

    def say(self, part: str, text: str) -> None:
        """Print one line about `part`."""
        with self._lock:
            print(f"{self.seconds:6.1f}s  {part:<13} {text}", file=self._out, flush=True)


class Silent(Progress):
    """Says nothing: for callers that are no person, such as tests."""

    def say(self, part: str, text: str) -> None:
        """Say nothing."""
