"""The payment methods the provider knows, and how each one behaves."""

from dataclasses import dataclass

from scripts.simulators.steered import Delivery


@dataclass(frozen=True, slots=True)
class Card:
    """What a payment method does when it is charged."""

    decline: str = ""
    """The code of its decline; empty when it is approved."""
    delivery: Delivery = Delivery.AT_ONCE
    failures: int = 0
    """How many first calls of a key come to nothing: no charge, and `failure` instead of an answer."""
    failure: Delivery = Delivery.AS_ERROR
    capture_refused: bool = False
    action: bool = False
    """Whether the customer has to confirm before anything is held."""
    action_decline: str = ""
    """The code of the decline that follows the confirmation; empty when it is approved then."""


CARDS = {
    "card_approved": Card(),
    "card_declined": Card(decline="card_declined"),
    "card_insufficient_funds": Card(decline="insufficient_funds"),
    "card_slow": Card(delivery=Delivery.LATE),
    "card_timeout_after_charge": Card(delivery=Delivery.NEVER),
    "card_timeout_before_charge": Card(failures=1, failure=Delivery.NEVER),
    "card_error_500": Card(failures=2),
    "card_charge_then_500": Card(delivery=Delivery.AS_ERROR),
    "card_capture_refused": Card(capture_refused=True),
    "card_requires_action": Card(action=True),
    "card_action_then_declined": Card(action=True, action_decline="insufficient_funds"),
}
UNKNOWN = Card(decline="unknown_payment_method")

DECLINES = {
    "card_declined": "The card was declined.",
    "insufficient_funds": "The card has insufficient funds.",
    "authentication_failed": "The customer did not confirm the payment.",
    "unknown_payment_method": "There is no such payment method.",
}
