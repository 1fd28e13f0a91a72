"""Amounts as Stripe counts them. The lists and examples are those of https://docs.stripe.com/currencies."""

import pytest

from services.chassis.money import Money
from services.payment.clients import stripe_amounts

# "Zero-decimal currencies", without UGX, which is one of the special cases, and MGA, which the shop does not accept.
ZERO_DECIMAL = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
# "Three-decimal currencies": the last digit must be 0. ISO 4217 has two more.
THREE_DECIMAL = ["BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD"]


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        *[(Money(currency, 500), 500) for currency in ZERO_DECIMAL],
        (Money("USD", 1000), 1000),
        # "To charge 5 ISK, provide an amount value of 500", and the same for UGX.
        (Money("ISK", 5), 500),
        (Money("UGX", 5), 500),
        # Zero-decimal for payouts only: "you can charge two-decimal amounts".
        (Money("HUF", 1045), 1045),
        (Money("TWD", 80045), 80045),
        *[(Money(currency, 5120), 5120) for currency in THREE_DECIMAL],
    ],
    ids=str,
)
def test_an_amount_is_sent_in_the_unit_that_stripe_expects(amount: Money, sent: int) -> None:
    assert stripe_amounts.sent(amount) == sent
    assert stripe_amounts.is_accepted(amount)


@pytest.mark.parametrize("currency", THREE_DECIMAL)
def test_three_decimals_are_not_rounded_but_refused(currency: str) -> None:
    refused = [last for last in range(10) if not stripe_amounts.is_accepted(Money(currency, 5120 + last))]
    assert refused == list(range(1, 10))
