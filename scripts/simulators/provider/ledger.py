"""The provider's log: its memory and its testimony.

A line is written before the answer it records leaves, and handed to the operating system at once, so that a `kill -9`
loses nothing that anyone was told. Memory holds only where each line stands; what a line says is read from the file.
"""

import errno
import fcntl
import json
import os
from array import array
from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scripts.simulators.provider.charges import Charge

AUTHORIZED = "authorized"
CAPTURED = "captured"
VOIDED = "voided"
REFUNDED = "refunded"
DECLINED = "declined"
REFUSED = "refused"
UNCHANGED = "unchanged"
FAILED = "failed"
"""The call came to nothing and bound nobody: the same key may be tried again."""

MOVING = (AUTHORIZED, CAPTURED, REFUNDED, VOIDED)
"""The effects that move money: what `/stats` adds up."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one call came to. `amount` is what it moved, in minor units; `answer` what was said, with HTTP `status`."""

    operation: str
    key: str
    request: dict[str, Any]
    reference: str
    effect: str
    amount: int
    currency: str
    status: int
    answer: dict[str, Any]


FIELDS = tuple(field.name for field in fields(Entry))


class LedgerInUse(Exception):  # noqa: N818 - the other process is right, this one is late
    """Another process writes this log."""


class Ledger:
    """An append-only log with an index. One process may have it open: for a second `open` raises LedgerInUse."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ends = array("Q", [0])
        self._binding: dict[str, int] = {}
        self._charges: dict[str, int] = {}
        self._references: dict[str, list[int]] = {}
        self._failures: dict[str, int] = {}
        self._moved: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MOVING, 0))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the log and learn what it says. A line that a crash cut short is dropped: its answer never left."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(descriptor)
            raise LedgerInUse(str(path)) from taken
        ledger = cls(descriptor)
        with path.open("rb") as log:
            for line in log:
                if line.endswith(b"\n"):
                    ledger._index(_entry(json.loads(line)), len(line))
        os.ftruncate(descriptor, ledger._ends[-1])
        return ledger

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def write(self, entry: Entry) -> None:
        """Append the entry. Raises OSError when it can't be kept: then nothing may be answered."""
        seen = {"seq": len(self._ends), "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        line = (
            json.dumps(seen | {name: getattr(entry, name) for name in FIELDS}, separators=(",", ":")).encode() + b"\n"
        )
        if os.write(self._descriptor, line) != len(line):
            os.ftruncate(self._descriptor, self._ends[-1])
            raise OSError(errno.ENOSPC, "the log can't grow")
        self._index(entry, len(line))

    def binding(self, key: str, within_s: float) -> Entry | None:
        """What the last binding call with this key came to, if it is not so many seconds ago."""
        number = self._binding.get(key)
        if number is None:
            return None
        line = self._line(number)
        age = datetime.now(UTC) - datetime.fromisoformat(line["time"])
        return _entry(line) if age.total_seconds() < within_s else None

    def newest_charge(self, reference: str) -> Charge | None:
        """The charge that was made last with this reference, as it is now."""
        made = [line["answer"]["id"] for line in self.about(reference) if line["effect"] == AUTHORIZED]
        return self.charge(made[-1]) if made else None

    def charge(self, charge_id: str) -> Charge | None:
        """The charge as it is now."""
        number = self._charges.get(charge_id)
        return None if number is None else Charge(**self._line(number)["answer"])

    def failures(self, key: str) -> int:
        """How many calls with this key came to nothing."""
        return self._failures.get(key, 0)

    def about(self, reference: str) -> list[dict[str, Any]]:
        """The log's lines about one reference, oldest first."""
        return [self._line(number) for number in self._references.get(reference, ())]

    def totals(self) -> dict[str, Any]:
        """How many charges there are, and what was moved in each currency, in minor units."""
        return {"charges": len(self._charges), "by_currency": self._moved}

    def _index(self, entry: Entry, length: int) -> None:
        number = len(self._ends) - 1
        self._ends.append(self._ends[-1] + length)
        self._references.setdefault(entry.reference, []).append(number)
        if entry.effect == FAILED:
            self._failures[entry.key] = self.failures(entry.key) + 1
            return
        self._binding[entry.key] = number
        if entry.effect in MOVING:
            self._charges[entry.answer["id"]] = number
            self._moved[entry.currency][entry.effect] += entry.amount

    def _line(self, number: int) -> dict[str, Any]:
        start, end = self._ends[number], self._ends[number + 1]
        line: dict[str, Any] = json.loads(os.pread(self._descriptor, end - start, start))
        return line


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(*[line[name] for name in FIELDS])
