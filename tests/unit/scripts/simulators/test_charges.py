"""The rules of the simulated provider's charges."""

import pytest

from scripts.simulators.provider import charges
from scripts.simulators.provider.charges import Charge, Refused

HELD = Charge(
    id="ch_1", status="authorized", amount=1000, currency="USD", reference="order-1", payment_method="card_approved"
)


def test_a_capture_without_an_amount_takes_all_that_is_held() -> None:
    taken = charges.capture(HELD, None)
    assert (taken.status, taken.captured_amount) == ("captured", 1000)


@pytest.mark.parametrize(
    ("charge", "amount", "code"),
    [
        (HELD, 1001, "capture_exceeds_charge"),
        (charges.void(HELD), 1000, "charge_not_capturable"),
        (charges.capture(HELD, 400), 600, "charge_already_captured"),
        (charges.refund(charges.capture(HELD, None), None), 1000, "charge_already_captured"),
    ],
)
def test_a_capture_of_what_is_not_held_is_refused(charge: Charge, amount: int, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        charges.capture(charge, amount)
    assert (refusal.value.status, refusal.value.code) == (409, code)


def test_voiding_a_voided_charge_changes_nothing() -> None:
    assert charges.void(charges.void(HELD)) == charges.void(HELD)


def test_a_captured_charge_is_not_voided() -> None:
    with pytest.raises(Refused, match="refunded, not voided"):
        charges.void(charges.capture(HELD, None))


def test_refunds_add_up_to_what_was_captured_and_no_further() -> None:
    partly = charges.refund(charges.capture(HELD, 900), 300)
    assert (partly.status, partly.refunded_amount) == ("partially_refunded", 300)
    assert charges.refund(partly, None).status == "refunded"
    with pytest.raises(Refused) as refusal:
        charges.refund(partly, 601)
    assert refusal.value.code == "refund_exceeds_capture"


def test_what_was_never_captured_is_not_refunded() -> None:
    with pytest.raises(Refused) as refusal:
        charges.refund(HELD, None)
    assert refusal.value.code == "charge_not_refundable"
