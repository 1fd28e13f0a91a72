"""What comes on top of the prices, by the shop's own tables: taxes, and shipping until a shipping service quotes it.

Both are read from JSON, the form in which settings have them. Rates are kept in millionths, so that no float is involved.
"""

import decimal
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis import errors, money

MILLION = 1_000_000
# The class of what has none of its own, and of a class that a place does not set apart.
STANDARD = "standard"
# Every country that has no row.
ANYWHERE = "*"


class TaxRates:
    """Tax rates in per cent by place and tax class: `{"DE": {"standard": "19", "reduced": "7"}, "US-CA": {"standard": "7.25"}}`.

    A place is a country (ISO 3166-1), or a country and a region as addresses have it. Where there is no rate there is no tax.
    """

    def __init__(self, text: str) -> None:
        """Raises ValueError for what is no such table."""
        self._text = text
        self._rates = {
            place.upper(): {name: _millionths(rate) for name, rate in _object(classes, place).items()}
            for place, classes in _object(_json(text), "the table").items()
        }

    def __str__(self) -> str:
        return self._text

    def rate(self, country: str, region: str, tax_class: str) -> int:
        """The tax rate in millionths: that of the region if there is one, otherwise that of the country."""
        found = self._rates.get(f"{country}-{region}".upper()) or self._rates.get(country.upper()) or {}
        return found.get(tax_class, found.get(STANDARD, 0))


@dataclass(frozen=True, slots=True)
class _Shipping:
    """What shipping costs, and from which price of the items on it is free (None: never)."""

    price: money.Money
    free_from: money.Money | None


class ShippingRates:
    """Shipping by country and currency: `{"DE": {"EUR": {"price": "4.90", "free_from": "50"}}, "*": {"EUR": {"price": "19"}}}`.

    An empty table is a shop that ships everything for free. With a table, only places and currencies in it are shipped to.
    """

    def __init__(self, text: str) -> None:
        """Raises ValueError for what is no such table."""
        self._text = text
        self._rates = {
            country.upper(): {
                currency: _shipping(currency, _object(row, currency))
                for currency, row in _object(rows, country).items()
            }
            for country, rows in _object(_json(text), "the table").items()
        }

    def __str__(self) -> str:
        return self._text

    def cost(self, country: str, items: money.Money) -> money.Money | None:
        """What it costs to ship items of this price; None when they are not shipped there."""
        if not self._rates:
            return money.Money(items.currency, 0)
        rows = self._rates.get(country.upper()) or self._rates.get(ANYWHERE) or {}
        row = rows.get(items.currency)
        if row and row.free_from and items >= row.free_from:
            return money.Money(items.currency, 0)
        return row.price if row else None


def per_cent(rate: int) -> str:
    """A rate in millionths as a decimal number of per cent, without trailing zeros."""
    whole, rest = divmod(rate, 10_000)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")


def _shipping(currency: str, row: Mapping[str, Any]) -> _Shipping:
    if unknown := row.keys() - {"price", "free_from"}:
        raise ValueError(f"{currency}: {min(unknown)!r} is neither price nor free_from")
    if "price" not in row:
        raise ValueError(f"{currency}: price is missing")
    return _Shipping(
        _amount(currency, row["price"]), _amount(currency, row["free_from"]) if "free_from" in row else None
    )


def _amount(currency: str, text: Any) -> money.Money:
    try:
        scaled = _decimal(text).scaleb(money.exponent(currency))
    except errors.DomainError as error:
        raise ValueError(error.message) from error
    return money.Money(currency, _whole(scaled, text))


def _millionths(text: Any) -> int:
    return _whole(_decimal(text).scaleb(4), text)


def _decimal(text: Any) -> decimal.Decimal:
    # A JSON number would be a float on its way here.
    try:
        number = decimal.Decimal(text) if isinstance(text, str) else None
    except decimal.InvalidOperation:
        number = None
    if number is None or not number.is_finite() or number < 0:
        raise ValueError(f"{text!r} is not a decimal number of 0 or more, in quotes")
    return number


def _whole(number: decimal.Decimal, text: Any) -> int:
    if number != int(number):
        raise ValueError(f"{text!r} has too many digits")
    return int(number)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")  # noqa: TRY004 - settings report ValueErrors
    return value
