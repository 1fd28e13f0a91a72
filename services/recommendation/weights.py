"""How much something weighs: how surprising it is that products are bought together, and what fades with time. Pure arithmetic.

Two products go together as strongly as the log-likelihood ratio says: Ted Dunning, "Accurate Methods for the Statistics of
Surprise and Coincidence", Computational Linguistics 19(1), 1993. Unlike a share it is not fooled by pairs that were seen
once, and unlike a count not by products that everybody buys. What trends decays forward: Cormode, Shkapenyuk, Srivastava, Xu,
"Forward Decay: A Practical Time Decay Model for Streaming Systems", ICDE 2009. An order weighs more the later it is, so nothing
that was counted ever changes, and it does not matter in which order orders arrive.
"""

import math
from datetime import UTC, datetime, timedelta

# An order trends half as much after every so many.
HALF_LIFE = timedelta(days=2)
# What a customer bought counts half as much after every so many, for what might be liked.
TASTE_HALF_LIFE = timedelta(days=30)

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
# Two to the minus this is nothing beside one, as floats go.
_NEGLIGIBLE = 60.0


def heat(moment: datetime) -> float:
    """What one order at this moment weighs, as the logarithm to base 2: one more after each half-life."""
    return (moment - EPOCH) / HALF_LIFE


def hotter(one: float, other: float) -> float:
    """The heat of two together: the logarithm of the sum of what they stand for."""
    low, high = sorted((one, other))
    if high - low > _NEGLIGIBLE:
        return high
    return high + math.log2(1.0 + 2.0 ** (low - high))


def faded(age: timedelta) -> float:
    """What is left of the weight of a purchase after so long; of one in the future, all."""
    return float(0.5 ** max(0.0, age / TASTE_HALF_LIFE))


def ratio(both: int, one: int, other: int, orders: int) -> float:
    """The log-likelihood ratio (G squared) of two products, from how many orders have both, each of them, and any.

    0 when they are independent, and when they are together less often than by chance: those do not go together.
    """
    if both * orders <= one * other:
        return 0.0
    cells = (
        (both, one, other),
        (one - both, one, orders - other),
        (other - both, orders - one, other),
        (orders - one - other + both, orders - one, orders - other),
    )
    total = sum(seen * math.log(seen * orders / (row * column)) for seen, row, column in cells if seen > 0)
    return max(0.0, 2.0 * total)
