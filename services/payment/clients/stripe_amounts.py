"""Amounts as Stripe counts them, by https://docs.stripe.com/currencies ("Minor units in API amounts", "Special cases").

Stripe takes whole minor units, as the shop counts them by ISO 4217, with two exceptions. ISK and UGX have no decimals any
more, but are sent with two, which are always 00. Amounts of three-decimal currencies must be rounded to the nearest ten.
The shop does not round them: the charge would differ from the order's total.
"""

from collections.abc import Mapping

from services.chassis import money

_FACTORS: Mapping[str, int] = {"ISK": 100, "UGX": 100}
_THREE_DECIMALS = frozenset(currency for currency, digits in money.CURRENCIES.items() if digits == 3)
_STEP = 10


def is_accepted(amount: money.Money) -> bool:
    """Whether Stripe can move exactly this amount."""
    return amount.currency not in _THREE_DECIMALS or amount.amount % _STEP == 0


def sent(amount: money.Money) -> int:
    """The amount as it is sent to Stripe, and as Stripe's objects have it."""
    return amount.amount * _FACTORS.get(amount.currency, 1)


def received(amount: int, currency: str) -> int:
    """An amount of Stripe's objects in minor units, as the shop counts them."""
    return amount // _FACTORS.get(currency, 1)
