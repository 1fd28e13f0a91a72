"""What the figures were measured on: they mean nothing without it."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

from scripts.stack.supervise import places


def described() -> dict[str, Any]:
    """The machine: cores, processor, memory, kernel, Python, and how busy it was with other things."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def commit() -> dict[str, Any]:
    """The commit that was measured, and whether files differed from it; empty where there is no git."""
    head = _git("rev-parse", "HEAD")
    return {"id": head, "changed": bool(_git("status", "--porcelain", "--untracked-files=no"))} if head else {}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(("git", *arguments), cwd=places.ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
