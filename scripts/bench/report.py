"""What the bench tells: a JSON file for programs, and a table for people."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.bench.figures import Percentiles
from scripts.bench.run import Measurement
from scripts.operate import storage

LATEST = "latest.json"
READABLE = 0o644


def write(folder: Path, content: Mapping[str, Any], now: datetime) -> Path:
    """Write the file of this run, and the same as the latest."""
    text = json.dumps(content, indent=1) + "\n"
    path = folder / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.json"
    for target in (path, folder / LATEST):
        storage.write(target, text, mode=READABLE)
    return path


def table(results: Mapping[str, Measurement]) -> str:
    """A column for each scenario."""
    columns = list(results.values())
    rows: list[Sequence[str]] = [("", *results)]
    rows += [(what, *(render(measured) for measured in columns)) for what, render in _ROWS.items()]
    rows += [("CPU ms per confirmed order", *("" for _ in columns))]
    rows += [(what, *(f"{pick(measured):.2f}" for measured in columns)) for what, pick in _COSTS.items()]
    names = list(dict.fromkeys(name for measured in columns for name in measured.cpu_ms_per_confirmed.by_process))
    rows += [(f"  {name}", *(_of_process(measured, name) for measured in columns)) for name in names]
    rows += [("memory MiB, all", *(f"{sum(measured.memory_mib.values()):.0f}" for measured in columns))]
    return _aligned(rows)


def problems(results: Mapping[str, Measurement]) -> list[str]:
    """What went wrong, a line each."""
    return [f"{name}: {problem}" for name, measured in results.items() for problem in measured.problems]


def _of_process(measured: Measurement, name: str) -> str:
    return f"{measured.cpu_ms_per_confirmed.by_process.get(name, 0):.2f} ({measured.memory_mib.get(name, 0):.0f} MiB)"


def _latency(found: Percentiles) -> str:
    return f"{found.p50:.0f} / {found.p95:.0f} / {found.p99:.0f}"


def _refused(measured: Measurement) -> str:
    by_status = ", ".join(f"{count} x {status}" for status, count in measured.orders.refused.items())
    return f"{by_status or 0} / {measured.orders.unanswered}"


def _sent(measured: Measurement) -> str:
    how = f"at {measured.load.rate:.0f}/s" if measured.load.rate else f"over {measured.load.connections}"
    return f"{measured.orders.sent} {how}"


_ROWS: dict[str, Callable[[Measurement], str]] = {
    "orders sent": _sent,
    "accepted": lambda m: str(m.orders.accepted),
    "confirmed / cancelled / pending": lambda m: (
        f"{m.orders.confirmed} / {m.orders.cancelled} / {m.orders.ended_pending}"
    ),
    "refused / unanswered": _refused,
    "window s / all ended s": lambda m: f"{m.window_s:.1f} / {m.ended_s:.1f}",
    "accepted per s": lambda m: f"{m.accepted_per_s:.1f}",
    "confirmed per s / to the last": lambda m: f"{m.confirmed_per_s:.1f} / {m.confirmed_per_s_to_the_last:.1f}",
    "accept ms p50 / p95 / p99": lambda m: _latency(m.accept_ms),
    "to CONFIRMED ms p50 / p95 / p99": lambda m: _latency(m.confirm_ms),
    "cores used / by others": lambda m: f"{m.cores_used:.2f} / {m.other_cores:.2f}",
}
_COSTS: dict[str, Callable[[Measurement], float]] = {
    "  total": lambda m: m.cpu_ms_per_confirmed.total,
    "  total with simulators": lambda m: m.cpu_ms_per_confirmed.with_simulators,
    "  all services": lambda m: m.cpu_ms_per_confirmed.services,
    "  total per accepted order": lambda m: m.cpu_ms_per_accepted.total,
    "  load generator (apart)": lambda m: m.cpu_ms_per_confirmed.load_generator,
}


def _aligned(rows: Iterable[Sequence[str]]) -> str:
    lines = list(rows)
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in lines
    )
