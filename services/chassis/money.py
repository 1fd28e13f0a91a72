"""Money: whole minor units of an ISO 4217 currency. No float comes near it.

`Money` adds, multiplies by whole numbers and splits without losing a unit. `google.type.Money` exists only at the edge
of a service: `rpc/render.py` turns one into the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis import errors

# ISO 4217 minor units where they are not 2. Currencies outside this table and ORDINARY are refused.
EXPONENTS = {"BHD": 3, "CLP": 0, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "VND": 0}
ORDINARY = frozenset(
    [
        "AED",
        "AUD",
        "BGN",
        "BRL",
        "CAD",
        "CHF",
        "CNY",
        "COP",
        "CZK",
        "DKK",
        "EGP",
        "EUR",
        "GBP",
        "HKD",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "MAD",
        "MXN",
        "MYR",
        "NOK",
        "NZD",
        "PEN",
        "PHP",
        "PLN",
        "RON",
        "SAR",
        "SEK",
        "SGD",
        "THB",
        "TRY",
        "TWD",
        "UAH",
        "USD",
        "ZAR",
    ]
)
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
            raise errors.invalid("MONEY_INVALID", "the amount is out of range", currency=self.currency)

    def __add__(self, other: "Money") -> "Money":
        """The sum. Raises CURRENCY_MIXED when the currencies differ."""
        if other.currency != self.currency:
            raise errors.invalid("CURRENCY_MIXED", f"{self.currency} and {other.currency} do not add up")
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
    """How many decimal digits the minor unit has. Raises MONEY_INVALID for a currency that is not known."""
    if currency in ORDINARY:
        return 2
    if currency in EXPONENTS:
        return EXPONENTS[currency]
    raise errors.invalid("MONEY_INVALID", f"currency {currency!r} is not known", currency=currency)


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
        raise errors.invalid("MONEY_INVALID", "not a whole number of minor units", currency=currency)
    return Money(currency, units * 10 ** exponent(currency) + nanos // per_minor)


def to_units(money: Money) -> tuple[int, int]:
    """Units and nanos of a `google.type.Money`."""
    scale = 10 ** exponent(money.currency)
    sign = -1 if money.amount < 0 else 1
    units, minor = divmod(abs(money.amount), scale)
    return sign * units, sign * minor * (NANOS // scale)
