"""The carrier's clock: it runs at a speed that may change, also while nobody looks, and never goes back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Since:
    """From this moment of the world (seconds since 1970) the carrier's clock, which showed `shown`, runs at this speed."""

    moment: float
    shown: float
    speed: float


class Clock:
    """The carrier's seconds, counted from the moment its clock was first set."""

    def __init__(self, moment: float, speed: float) -> None:
        self._stretches = [_Since(moment, 0.0, speed)]

    @property
    def speed(self) -> float:
        """How many of its seconds pass in one of the world's."""
        return self._stretches[-1].speed

    def change(self, moment: float, speed: float) -> None:
        """From this moment on it runs at this speed."""
        self._stretches.append(_Since(moment, self.shown(moment), speed))

    def shown(self, moment: float) -> float:
        """What it shows at a moment that is not before its last change."""
        last = self._stretches[-1]
        return last.shown + max(moment - last.moment, 0.0) * last.speed

    def moment(self, shown: float) -> float:
        """When in the world it showed this, or will at its present speed."""
        begun = next(one for one in reversed(self._stretches) if one.shown <= shown)
        return begun.moment + ((shown - begun.shown) / begun.speed if begun.speed else 0.0)
