"""How popular a product is: units that were ordered, of which each counts half as much after every week."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

# The natural logarithm of 2 by the seconds of a week.
DECAY_PER_S = 1.1460766875e-06
# Orders count together for so long before the product's new popularity is told.
TELL_AFTER = timedelta(seconds=60)
# A popularity that only decays is looked at so often: about the time in which it falls by a twentieth.
LOOK_AGAIN = timedelta(hours=12)
# Told is a change of at least one part in so many.
PARTS = 20


@dataclass(frozen=True, slots=True)
class Sold:
    """So many units of a SKU are in an order that is confirmed."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many units of a product counted at `as_of`, and the popularity that was told last."""

    product_id: str
    sold: float
    as_of: datetime
    told: int


def popularity(count: Count, now: datetime) -> int:
    """What the units of a count are worth now."""
    age_s = max(0.0, (now - count.as_of).total_seconds())
    return round(count.sold * math.exp(-DECAY_PER_S * age_s))


def is_news(told: int, found: int) -> bool:
    """Whether a popularity is so different from the one that was told that it should be told."""
    return told != found and abs(told - found) * PARTS >= told
