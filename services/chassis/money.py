"""Money: whole minor units of an ISO 4217 currency. No float comes near it.

`Money` adds, multiplies by whole numbers and splits without losing a unit. `google.type.Money` exists only at the edge
of a service: `rpc/render.py` turns one into the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import iso4217

from services.chassis import errors

# Units of account that no person holds: ISO 4217 marks most of them, for example CLF, and these it does not.
_ACCOUNTING = frozenset({"UYW", "XAD"})
_FUNDS = frozenset(
    str(entry.findtext("Ccy"))
    for entry in iso4217.raw_xml.iterfind("CcyTbl/CcyNtry")
    if entry.find("CcyNm[@IsFund]") is not None
)
# Their minor unit is a fifth, which decimal digits do not count.
_FIFTHS = frozenset({"MGA", "MRU"})
# How many decimal digits the minor unit of each currency has. Codes for metals, tests and "no currency" have none.
CURRENCIES: Mapping[str, int] = {
    currency.code: currency.exponent
    for currency in iso4217.Currency
    if currency.exponent is not None and currency.code not in _FUNDS | _ACCOUNTING | _FIFTHS
}
# Withdrawn since a release that accepted them: money of before is still read and refunded, and no new price is set.
WITHDRAWN: Mapping[str, int] = {"BGN": 2}
# What fits an SQL bigint with room for the sum of any batch.
LIMIT = 10**15
NANOS = 10**9


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents, yen, fils) of one currency. May be negative; at most LIMIT either way."""

    currency: str
    amount: int

    def __post_init__(self) -> None:
        if abs(self.amount) > LIMIT:
            raise errors.invalid(
                "MONEY_INVALID", f"the amount must be at most {LIMIT} minor units", currency=self.currency
            )

    def __add__(self, other: "Money") -> "Money":
        """The sum. Raises CURRENCY_MIXED when the currencies differ."""
        if other.currency != self.currency:
            raise errors.invalid("CURRENCY_MIXED", f"amounts in {self.currency} and {other.currency} cannot be added")
        return Money(self.currency, self.amount + other.amount)

    def __mul__(self, count: int) -> "Money":
        return Money(self.currency, self.amount * count)

    @property
    def decimal(self) -> str:
        """The amount in the currency's unit, for example `12.34`. Raises MONEY_INVALID for a currency that is not known."""
        digits = exponent(self.currency)
        units, minor = divmod(abs(self.amount), 10**digits)
        sign = "-" if self.amount < 0 else ""
        return f"{sign}{units}.{minor:0{digits}}" if digits else f"{sign}{units}"

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"


def exponent(currency: str) -> int:
    """How many decimal digits the minor unit has. Raises MONEY_INVALID for what is no currency of people."""
    digits = CURRENCIES.get(currency)
    if digits is None:
        digits = WITHDRAWN.get(currency)
    if digits is None:
        # It may be as long as its sender likes.
        said = f"{currency[:8]!r} is not an ISO 4217 currency code"
        raise errors.invalid("MONEY_INVALID", said, currency=currency[:8])
    return digits


def check_current(currency: str) -> None:
    """Raise MONEY_INVALID unless prices can be set in this currency today."""
    exponent(currency)
    if currency in WITHDRAWN:
        raise errors.invalid("MONEY_INVALID", f"currency {currency} was withdrawn", currency=currency)


def total(amounts: Sequence[Money]) -> Money:
    """The sum of at least one amount. Raises CURRENCY_MIXED when the currencies differ."""
    result = amounts[0]
    for amount in amounts[1:]:
        result = result + amount
    return result


def split(whole: Money, weights: Sequence[int]) -> list[Money]:
    """Parts in proportion to the weights that add up to the whole exactly, by largest remainder (Hamilton's method).

    Weights are not negative and not all zero. Ties go to the earlier part.
    """
    of = sum(weights)
    parts = [whole.amount * weight // of for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole.amount * weights[i] % of), i))
    for i in by_remainder[: whole.amount - sum(parts)]:
        parts[i] += 1
    return [Money(whole.currency, part) for part in parts]


def from_units(currency: str, units: int, nanos: int) -> Money:
    """The amount of a `google.type.Money`. Raises MONEY_INVALID for a fraction of a minor unit or mixed signs."""
    per_minor = NANOS // 10 ** exponent(currency)
    if abs(nanos) >= NANOS or nanos % per_minor or units * nanos < 0:
        raise errors.invalid(
            "MONEY_INVALID", "the amount must be a whole number of minor units of its currency", currency=currency
        )
    return Money(currency, units * 10 ** exponent(currency) + nanos // per_minor)


def to_units(money: Money) -> tuple[int, int]:
    """Units and nanos of a `google.type.Money`."""
    scale = 10 ** exponent(money.currency)
    sign = -1 if money.amount < 0 else 1
    units, minor = divmod(abs(money.amount), scale)
    return sign * units, sign * minor * (NANOS // scale)
