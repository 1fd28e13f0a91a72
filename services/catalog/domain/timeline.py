"""What a SKU costs over time: reductions, and the earlier price that is shown beside a reduced one. Pure, without I/O.

A price may be announced as reduced only beside the lowest price of the 30 days before the reduction (Directive 98/6/EC,
Article 6a). A price that is lowered further while it is reduced goes on with the same reduction (paragraph 5), so the
earlier price stays. One that rises is another reduction, however low it is: the lower price of before counts then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from services.chassis import money

# For so long before a reduction the lowest price counts.
LOOKED_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Begun:
    """From this moment on one unit costs so much; promotional: below the regular price."""

    time: datetime
    price: money.Money
    promotional: bool


@dataclass(frozen=True, slots=True)
class Period:
    """A time during which a SKU costs the same. id orders those of a product; end_time is None for the present one."""

    id: int
    sku: str
    begun: Begun
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A promotional price as promotion tells of it: of one SKU, or of all of the product when sku is empty."""

    id: str
    product_id: str
    sku: str
    price: money.Money
    start_time: datetime
    end_time: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Reduction:
    """What a promotion makes of a price. earlier is what it may be compared to, ends when it ends (None: nothing, not known)."""

    price: money.Money
    earlier: money.Money | None = None
    ends: datetime | None = None


def earlier(changes: Sequence[Begun]) -> money.Money | None:
    """The earlier price to show beside the last of these prices, which are in order.

    None when the last one is not promotional, when nothing is known from before the reduction, and when the product was as
    cheap in that time: then nothing may be announced as reduced.
    """
    if not changes or not changes[-1].promotional:
        return None
    now = changes[-1].price
    # What was replaced at the same moment was never charged.
    charged = [change for change, after in pairwise(changes) if change.time < after.time] + [changes[-1]]
    first = _first_of_reduction(charged)
    since = charged[first].time - LOOKED_BACK
    # The price that was charged when the 30 days began is one of theirs.
    oldest = max((place for place in range(first) if charged[place].time <= since), default=0)
    prices = [change.price for change in charged[oldest:first] if change.price.currency == now.currency]
    lowest = min(prices, default=now)
    return lowest if lowest > now else None


def _first_of_reduction(changes: Sequence[Begun]) -> int:
    """Where the reduction begins of which the last price is the latest step."""
    first = len(changes) - 1
    while first and _goes_on(changes[first - 1], changes[first]):
        first -= 1
    return first


def _goes_on(before: Begun, after: Begun) -> bool:
    same_currency = before.price.currency == after.price.currency
    return before.promotional and same_currency and before.price >= after.price


def reduction(currency: str, told: Sequence[Any] | None) -> Reduction | None:
    """The reduction that a row tells of: its price, its end, and all changes as (time, currency, price, promotional)."""
    if told is None:
        return None
    price, ends, changes = told
    begun = [
        Begun(datetime.fromisoformat(time), money.Money(code, amount), promotional)
        for time, code, amount, promotional in changes or ()
    ]
    return Reduction(money.Money(currency, price), earlier(begun), datetime.fromisoformat(ends) if ends else None)


def pack(reduced: Reduction | None) -> list[Any] | None:
    """A reduction for the cache."""
    if reduced is None:
        return None
    ends = reduced.ends.isoformat() if reduced.ends else None
    return [reduced.price.amount, reduced.earlier.amount if reduced.earlier else None, ends]


def unpack(currency: str, packed: Sequence[Any] | None) -> Reduction | None:
    """A reduction of the cache. Raises ValueError or TypeError."""
    if packed is None:
        return None
    price, before, ends = packed
    return Reduction(
        money.Money(currency, price),
        None if before is None else money.Money(currency, before),
        datetime.fromisoformat(ends) if ends else None,
    )
