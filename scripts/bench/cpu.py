"""CPU time by process, as the kernel counts it: user and system, with all descendants, living and dead."""

import contextlib
from collections.abc import Mapping

import psutil


def seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """The CPU seconds that each named process and its descendants have used so far."""
    return {name: _of_tree(pid) for name, pid in roots.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The CPU seconds between two readings; of processes that are in both."""
    return {name: round(after[name] - before[name], 3) for name in before if name in after}


def busy() -> float:
    """The CPU seconds that this machine has worked since it was started, whoever for."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _of_tree(pid: int) -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        # The root last: the time of a child that ends meanwhile has moved to its parent.
        for process in (*root.children(recursive=True), root):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
