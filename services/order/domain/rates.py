"""The taxes that come on top of the prices, by the shop's own table. What shipping costs is shipping's: `services/tariff.py`.

It is read from JSON, the form in which settings have it. Rates are kept in millionths, so that no float is involved.
"""

import decimal
import json
from collections.abc import Mapping
from typing import Any

MILLION = 1_000_000
# The class of what has none of its own, and of a class that a place does not set apart.
STANDARD = "standard"


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


def per_cent(rate: int) -> str:
    """A rate in millionths as a decimal number of per cent, without trailing zeros."""
    whole, rest = divmod(rate, 10_000)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")


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
