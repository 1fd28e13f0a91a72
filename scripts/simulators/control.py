"""What a test can do to a simulator while it runs. Kept in memory: a restart is a recovery."""

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

NORMAL = "normal"
DOWN = "down"
ERRORS = "errors"
HANG = "hang"
MODES = (NORMAL, DOWN, ERRORS, HANG)


@dataclass(frozen=True, slots=True)
class Control:
    """How a simulator answers. `error_rate` is a share of calls, 0 to 1. A simulator adds what it alone has."""

    mode: str = NORMAL
    latency_ms: float = 0.0
    error_rate: float = 0.0
    slow_seconds: float = 2.0
    hang_seconds: float = 30.0


Kind = TypeVar("Kind", bound=Control)


def shown(control: Control) -> dict[str, Any]:
    """The control as the API shows it."""
    return {field.name: getattr(control, field.name) for field in fields(control)}


def changed(control: Kind, wanted: Any) -> Kind:
    """The control with the fields of `wanted`, a JSON object, changed. Raises ValueError for what it can't be."""
    known = shown(control)
    if not isinstance(wanted, dict) or not wanted.keys() <= known.keys():
        raise ValueError(f"expected an object with some of {', '.join(known)}")
    for name, value in wanted.items():
        if name == "mode" and value not in MODES:
            raise ValueError(f"mode is one of {', '.join(MODES)}")
        if name != "mode" and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise ValueError(f"{name} is a number, 0 or more")
    if wanted.get("error_rate", 0) > 1:
        raise ValueError("error_rate is at most 1")
    return replace(control, **wanted)


class FaultSchedule:
    """Spreads failing calls evenly, so that a rate of 0.05 is every twentieth call in every run."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._failed = 0

    def strikes(self, rate: float) -> bool:
        """Whether this call fails."""
        self._owed += rate
        if self._owed < 1.0 - 1e-9:
            return False
        self._owed -= 1.0
        self._failed += 1
        return True

    @property
    def after_effect(self) -> bool:
        """Whether the call that failed last takes effect before it fails: every second one does."""
        return self._failed % 2 == 0
