"""How much of a payment belongs to whom, and who bears what is given back of it. Pure, in minor units, exact to the last.

Shares say it by vendor; what is the shop's own stands beside them under an empty id. Without any, all of it is the shop's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.chassis import money

Shares = Mapping[str, int]
# Who keeps what belongs to no vendor: the shop itself.
HOUSE = ""


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a payment, and by whom."""

    amount: int
    shares: Shares = field(default_factory=dict)


def of(amount: int, vendors: Shares) -> Shares:
    """The shares of an amount of which so much belongs to vendors. Raises ValueError when that is more than there is."""
    house = amount - sum(vendors.values())
    if house < 0 or any(part < 0 for part in vendors.values()):
        raise ValueError("the shares are more than the amount")
    named = _parts(vendors.items())
    return _parts([*named.items(), (HOUSE, house)]) if named else {}


def left(whole: Shares, taken: Shares) -> Shares:
    """What of these shares was not taken yet: never below zero."""
    return _parts((who, max(0, amount - taken.get(who, 0))) for who, amount in whole.items())


def plus(one: Shares, other: Shares) -> Shares:
    """Both together."""
    return _parts((who, one.get(who, 0) + other.get(who, 0)) for who in {*one, *other})


def times(one: Shares, factor: int) -> Shares:
    """So many times these: -1 turns them round."""
    return _parts((who, amount * factor) for who, amount in one.items())


def take(rest: Shares, whole: money.Money, named: Shares) -> Shares:
    """Who bears an amount that is taken out of what is left: first who is named, up to what is theirs, then all in proportion.

    The parts add up to the amount; as long as that much is left, nobody bears more than is left to them.
    """
    first = {who: min(amount, rest.get(who, 0)) for who, amount in named.items()}
    borne = sum(first.values())
    if borne >= whole.amount:
        return divide(whole, first)
    return plus(first, divide(money.Money(whole.currency, whole.amount - borne), left(rest, first) or rest))


def divide(whole: money.Money, weights: Shares) -> Shares:
    """An amount in proportion to these shares, by largest remainder; nobody's when there are none."""
    whose = sorted(who for who, weight in weights.items() if weight)
    if not whose:
        return {}
    parts = money.split(whole, [weights[who] for who in whose])
    return _parts((who, part.amount) for who, part in zip(whose, parts, strict=True))


def _parts(items: Iterable[tuple[str, int]]) -> Shares:
    return {who: amount for who, amount in sorted(items) if amount}
