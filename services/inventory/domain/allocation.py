"""Who gets what, and from where: allocation as a pure function over a batch of orders.

An order gets all of its lines or none. Of the ways to give it all of them, the one in the fewest parcels is taken, a parcel
being a warehouse; among those the nearest to the address, and among those the preferred.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

from services.inventory.domain import Allocation, Hold, Level, Shortage, Want
from services.inventory.domain.nearness import Rank, Ranking

Free = Mapping[str, Mapping[str, int]]
# Sets of warehouses that are compared for one order; where there are more, the fewest parcels are looked for step by step.
_MOST_SETS = 2_000
_NOTHING: Mapping[str, int] = {}


def allocate(wants: Sequence[Want], levels: Sequence[Level], rank: Rank) -> Allocation:
    """Grant each order all of its lines or none, in the order they came, from what is available.

    What is granted to one order is not there for the next. `rank` says which warehouses an address is served from first; it
    knows every warehouse of the levels.
    """
    free: dict[str, dict[str, int]] = {}
    for level in levels:
        free.setdefault(level.sku, {})[level.warehouse] = level.available
    holds: list[Hold] = []
    rejected: dict[str, tuple[Shortage, ...]] = {}
    for want in wants:
        ranking = rank(want.destination)
        granted = _in_one_parcel(want, free, ranking)
        if granted is None:
            if shortages := _shortages(want, free):
                rejected[want.order_id] = shortages
                continue
            granted = _in_several(want, free, ranking)
        for hold in granted:
            free[hold.sku][hold.warehouse] -= hold.quantity
        holds += granted
    return Allocation(tuple(holds), rejected)


def _shortages(want: Want, free: Free) -> tuple[Shortage, ...]:
    available = {sku: sum(free.get(sku, {}).values()) for sku in want.lines}
    return tuple(Shortage(sku, asked, available[sku]) for sku, asked in want.lines.items() if available[sku] < asked)


def _in_one_parcel(want: Want, free: Free, ranking: Ranking) -> list[Hold] | None:
    """All of it from the first warehouse that has all of it: most orders need no more, so this comes first and is short."""
    lines = want.lines
    for warehouse in ranking:
        for sku, quantity in lines.items():
            if free.get(sku, _NOTHING).get(warehouse, 0) < quantity:
                break
        else:
            return [Hold(want.order_id, sku, warehouse, quantity) for sku, quantity in lines.items()]
    return None


def _in_several(want: Want, free: Free, ranking: Ranking) -> list[Hold]:
    chosen = _fewest(want, free, ranking)
    return [hold for sku in want.lines for hold in _spread(want, sku, free[sku], chosen)]


def _fewest(want: Want, free: Free, ranking: Ranking) -> Sequence[str]:
    """The warehouses that the order is taken from, in their order: as few as can be, and of those the nearest."""
    having = [name for name in ranking if any(free[sku].get(name, 0) > 0 for sku in want.lines)]
    compared = 0
    for size in range(2, len(having)):
        compared += math.comb(len(having), size)
        if compared > _MOST_SETS:
            return _step_by_step(want, free, having)
        sets = [chosen for chosen in itertools.combinations(having, size) if _suffice(want, free, chosen)]
        if sets:
            # The first of equals: combinations come in the order of the ranking, which ends with the preference.
            return min(sets, key=lambda chosen: sum(ranking[name] for name in chosen))
    return having


def _step_by_step(want: Want, free: Free, having: Sequence[str]) -> Sequence[str]:
    """Few warehouses that suffice: whatever brings most is taken, and what turns out not to be needed is left out."""
    missing, chosen = dict(want.lines), list[str]()
    while any(missing.values()):
        best = max(having, key=lambda name: sum(min(free[sku].get(name, 0), left) for sku, left in missing.items()))
        chosen.append(best)
        missing = {sku: max(0, left - free[sku].get(best, 0)) for sku, left in missing.items()}
        having = [name for name in having if name != best]
    for name in chosen[:]:
        others = [other for other in chosen if other != name]
        if _suffice(want, free, others):
            chosen = others
    return chosen


def _suffice(want: Want, free: Free, chosen: Sequence[str]) -> bool:
    return all(sum(free[sku].get(name, 0) for name in chosen) >= asked for sku, asked in want.lines.items())


def _spread(want: Want, sku: str, free: Mapping[str, int], chosen: Sequence[str]) -> list[Hold]:
    holds, left = [], want.lines[sku]
    for warehouse in chosen:
        taken = min(left, free.get(warehouse, 0))
        if taken > 0:
            holds.append(Hold(want.order_id, sku, warehouse, taken))
            left -= taken
    return holds
