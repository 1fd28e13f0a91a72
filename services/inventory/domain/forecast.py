"""What will be sold of a SKU: exponential smoothing with a trend and a weekly season (Holt and Winters), and what to order.

A day's forecast is level + trend + season of its weekday, each a mean in which older days count less and less. How much less
is chosen by what would have forecast the past best. The trend is damped: what grows now does not grow for ever.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, linear_regression, pstdev

WEEK = 7
# With fewer days there is no weekly season to be seen, and their mean is the forecast.
FEWEST = 2 * WEEK
# The last days that a forecast is tried on, with what came before them; and how many days that takes.
TRIED = 2 * WEEK
FEWEST_TO_TRY = FEWEST + TRIED
_DAMPING = 0.98
_WEIGHTS = tuple(itertools.product((0.05, 0.1, 0.2, 0.4), (0.0, 0.02, 0.1), (0.05, 0.15, 0.3)))
# So many standard deviations of the error cover 95 of 100 lead times.
_SAFETY = 1.645


@dataclass(frozen=True, slots=True)
class Fit:
    """How the past ended: the level, the trend a day, the season of the seven days to come, and the past errors."""

    level: float
    trend: float
    season: tuple[float, ...]
    errors: tuple[float, ...]

    @property
    def spread(self) -> float:
        """The standard deviation of a day's error."""
        return pstdev(self.errors) if self.errors else 0.0

    def days(self, count: int) -> list[float]:
        """What the next days will ask for: never less than nothing."""
        asked, trend, level = [], self.trend, self.level
        for day in range(count):
            trend *= _DAMPING
            level += trend
            asked.append(max(0.0, level + self.season[day % WEEK]))
        return asked


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a forecast of the last days was off, a day and on average, and how far the same days of the week before were."""

    error: float
    naive_error: float


@dataclass(frozen=True, slots=True)
class Supply:
    """What can be sold now, what is expected to come on which day from now, and how long a new order takes and shall last."""

    available: int
    arriving: Mapping[int, int]
    lead_days: int
    cover_days: int


@dataclass(frozen=True, slots=True)
class Plan:
    """For how many days what is available lasts (None: longer than was looked at), and what to order in how many days.

    order_in is None when nothing has to be ordered in the days that were looked at.
    """

    days_of_cover: int | None
    safety_stock: int
    order_in: int | None
    order_quantity: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """The days to come of a SKU, today first, how sure they are, and what follows for its stock."""

    sku: str
    today: date
    history_days: int
    days: tuple[float, ...]
    trial: Trial | None
    supply: Supply
    plan: Plan


def fitted(sold: Sequence[int]) -> Fit:
    """What fits these days best, the oldest first."""
    if len(sold) < FEWEST:
        mean = fmean(sold) if sold else 0.0
        return Fit(mean, 0.0, (0.0,) * WEEK, tuple(day - mean for day in sold))
    fits = (_smoothed(sold, *weights) for weights in _WEIGHTS)
    return min(fits, key=lambda fit: math.fsum(error * error for error in fit.errors))


def tried(sold: Sequence[int]) -> Trial | None:
    """How well the last days would have been forecast from those before; None when there are too few."""
    if len(sold) < FEWEST_TO_TRY:
        return None
    past, recent = sold[:-TRIED], sold[-TRIED:]
    naive = [past[-WEEK + day % WEEK] for day in range(TRIED)]
    return Trial(_off(fitted(past).days(TRIED), recent), _off(naive, recent))


def planned(fit: Fit, supply: Supply) -> Plan:
    """What to order, and when, so that what comes of it is there before the safety stock is touched.

    What nobody could buy before it comes is not bought later.
    """
    looked_at = supply.lead_days + supply.cover_days
    asked = fit.days(2 * looked_at)
    safety = math.ceil(_SAFETY * fit.spread * math.sqrt(supply.lead_days))
    without_more = _short_on(_left(asked[:looked_at], supply.available, {}), 0)
    left = _left(asked[:looked_at], supply.available, supply.arriving)
    short = _short_on(left, safety)
    if short is None:
        return Plan(without_more, safety, None, 0)
    comes = max(short, supply.lead_days)
    there = max(0.0, left[comes - 1]) if comes else float(supply.available)
    lacking = 0.0
    for day in range(comes, comes + supply.cover_days):
        there += supply.arriving.get(day, 0) - asked[day]
        lacking = max(lacking, safety - there)
    return Plan(without_more, safety, comes - supply.lead_days, math.ceil(lacking))


def _left(asked: Sequence[float], available: int, arriving: Mapping[int, int]) -> list[float]:
    """What is left at the end of each day; less than nothing is what could not be sold that day."""
    result, left = [], float(available)
    for day, quantity in enumerate(asked):
        left = max(0.0, left) + arriving.get(day, 0) - quantity
        result.append(left)
    return result


def _short_on(left: Sequence[float], safety: int) -> int | None:
    """The first day at whose end less than the safety stock is left."""
    return next((day for day, units in enumerate(left) if units < safety), None)


def _smoothed(sold: Sequence[int], of_level: float, of_trend: float, of_season: float) -> Fit:
    level = fmean(sold[:WEEK])
    season = [fmean(sold[day:FEWEST:WEEK]) - fmean(sold[:FEWEST]) for day in range(WEEK)]
    trend = linear_regression(range(FEWEST), sold[:FEWEST]).slope
    errors = []
    for day, quantity in enumerate(sold):
        usual, drifted = season[day % WEEK], _DAMPING * trend
        error = quantity - (level + drifted + usual)
        errors.append(error)
        level += drifted + of_level * error
        trend = drifted + of_level * of_trend * error
        season[day % WEEK] = usual + of_season * (1 - of_level) * error
    turn = len(sold) % WEEK
    # The first days only warm it up.
    return Fit(level, trend, tuple(season[turn:] + season[:turn]), tuple(errors[WEEK:]))


def _off(forecast: Sequence[float], sold: Sequence[int]) -> float:
    return fmean(abs(guess - day) for guess, day in zip(forecast, sold, strict=True))
