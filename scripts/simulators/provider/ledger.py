"""The provider's log: its memory and its testimony, as the journal keeps it.

Memory holds only where each line stands; what a line says is read from the file.
"""

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scripts.simulators.journal import Journal
from scripts.simulators.provider.charges import Charge

AUTHORIZED = "authorized"
CAPTURED = "captured"
VOIDED = "voided"
REFUNDED = "refunded"
DECLINED = "declined"
ACTION_REQUIRED = "action_required"
"""A charge was made of which nothing is held before its customer confirms."""

REFUSED = "refused"
UNCHANGED = "unchanged"
FAILED = "failed"
"""The call came to nothing and bound nobody: the same key may be tried again."""

REFUND_FAILED = "refund_failed"
"""A refund that had succeeded came to nothing later: what it gave back is taken again."""

MADE = frozenset({AUTHORIZED, ACTION_REQUIRED})
"""The effects by which there is a charge."""

MOVING = (AUTHORIZED, CAPTURED, REFUNDED, VOIDED)
"""The effects that move money: what `/stats` adds up."""

CHANGING = frozenset({*MOVING, REFUND_FAILED, ACTION_REQUIRED, DECLINED})
"""The effects behind which a charge is another, if it is about one: a decline at once makes none."""


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


class Ledger:
    """An index of the journal that the provider's calls are written to."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._binding: dict[str, int] = {}
        self._charges: dict[str, int] = {}
        self._references: dict[str, list[int]] = {}
        self._failures: dict[str, int] = {}
        self._moved: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MOVING, 0))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the journal and learn what it says. Raises JournalInUse when another process has it open."""
        ledger = cls(Journal.open(path))
        for place, line in enumerate(ledger._journal):
            ledger._index(_entry(line), place)
        return ledger

    def close(self) -> None:
        """Let go of the file."""
        self._journal.close()

    def write(self, entry: Entry) -> None:
        """Append the entry. Raises OSError when it can't be kept: then nothing may be answered."""
        self._index(entry, self._journal.append({name: getattr(entry, name) for name in FIELDS}))

    def binding(self, key: str, within_s: float) -> Entry | None:
        """What the last binding call with this key came to, if it is not so many seconds ago."""
        number = self._binding.get(key)
        if number is None:
            return None
        line = self._journal.line(number)
        age = datetime.now(UTC) - datetime.fromisoformat(line["time"])
        return _entry(line) if age.total_seconds() < within_s else None

    def newest_charge(self, reference: str) -> Charge | None:
        """The charge that was made last with this reference, as it is now."""
        made = [line["answer"]["id"] for line in self.about(reference) if line["effect"] in MADE]
        return self.charge(made[-1]) if made else None

    def charge(self, charge_id: str) -> Charge | None:
        """The charge as it is now."""
        number = self._charges.get(charge_id)
        return None if number is None else Charge(**self._journal.line(number)["answer"])

    def page(self, after: int, most: int) -> list[Charge]:
        """So many charges in the order in which they were made, behind the first `after` ones."""
        numbers = list(self._charges.values())[after : after + most]
        return [Charge(**self._journal.line(number)["answer"]) for number in numbers]

    def failures(self, key: str) -> int:
        """How many calls with this key came to nothing."""
        return self._failures.get(key, 0)

    def about(self, reference: str) -> list[dict[str, Any]]:
        """The log's lines about one reference, oldest first."""
        return [self._journal.line(number) for number in self._references.get(reference, ())]

    def totals(self) -> dict[str, Any]:
        """How many charges there are, and what was moved in each currency, in minor units."""
        return {"charges": len(self._charges), "by_currency": self._moved}

    def _index(self, entry: Entry, number: int) -> None:
        self._references.setdefault(entry.reference, []).append(number)
        if entry.effect == FAILED:
            self._failures[entry.key] = self.failures(entry.key) + 1
            return
        self._binding[entry.key] = number
        if entry.effect in CHANGING and "id" in entry.answer:
            self._charges[entry.answer["id"]] = number
        if entry.effect in MOVING:
            self._moved[entry.currency][entry.effect] += entry.amount
        if entry.effect == REFUND_FAILED:
            self._moved[entry.currency][REFUNDED] -= entry.amount


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(*[line[name] for name in FIELDS])
