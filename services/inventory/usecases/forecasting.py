"""Forecasting: what the history of sales says of the days to come, and what to order because of it."""

from datetime import UTC, date, datetime, time, timedelta

from services.chassis import clock, database, errors
from services.inventory import store
from services.inventory.domain import forecast
from services.inventory.store import sales

HISTORY = timedelta(days=182)
_DAY = timedelta(days=1)


class Forecasting:
    """Forecasts of single SKUs, made when they are asked for."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def forecast(self, sku: str, *, lead_days: int, cover_days: int) -> forecast.Outlook:
        """What to expect of a SKU, and what to order. Raises SKU_NOT_FOUND.

        Today is not over, so it is forecast, and no part of the history. The history begins when the SKU first moved.
        """
        levels = await store.levels_of(self._db, [sku])
        if not levels:
            raise errors.not_found("SKU_NOT_FOUND", "there is no stock record of this SKU", sku=sku)
        today = self._now().date()
        sold = await self._history(sku, today)
        fit = forecast.fitted(sold)
        available = sum(level.available for level in levels)
        supply = forecast.Supply(available, await sales.arriving(self._db, sku, today), lead_days, cover_days)
        return forecast.Outlook(
            sku=sku,
            today=today,
            history_days=len(sold),
            days=tuple(fit.days(lead_days + cover_days)),
            trial=forecast.tried(sold),
            supply=supply,
            plan=forecast.planned(fit, supply),
        )

    async def _history(self, sku: str, today: date) -> list[int]:
        """How many were sold on each day before today, the oldest first."""
        first = await sales.first_seen(self._db, sku)
        since = max(today - HISTORY, first.date() if first else today)
        sold = await sales.sold(self._db, sku, _midnight(since), _midnight(today))
        return [sold.get(since + number * _DAY, 0) for number in range((today - since) // _DAY)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
