"""What happened on the cluster, told as a table at the end of the run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.operate import table


@dataclass(slots=True)
class Story:
    """Lines of what was done, what came of it, and how many seconds it took."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)

    @contextmanager
    def tells(self, what: str) -> Iterator[list[str]]:
        """Time what the block does. What it finds out goes into the list it is given."""
        started = time.monotonic()
        seen: list[str] = []
        try:
            yield seen
        except BaseException:
            seen.append("FAILED")
            raise
        finally:
            self.lines.append((what, f"{time.monotonic() - started:.1f} s", "; ".join(seen)))

    def text(self) -> str:
        """The whole of it."""
        return table.text(("on the cluster", "took", "what was seen"), self.lines)
