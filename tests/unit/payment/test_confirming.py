"""How a customer confirms a payment: kept for as long as that is awaited, and in no text that is made of it."""

from services.payment import domain
from tests.unit.payment.test_domain import ACTION, CANCELLED, CONFIRMED, NO, YES, after


def test_how_to_confirm_is_kept_while_it_is_awaited_and_in_no_text() -> None:
    waiting, _ = after(ACTION)
    assert (waiting.action, waiting.provider_reference, waiting.call) == (ACTION.action, "ch_1", "confirm")
    for text in (repr(waiting), repr(ACTION)):
        assert "secret" not in text
        assert "bank.example" not in text
    for answer in (YES, NO, CANCELLED, CONFIRMED):
        assert after(answer, payment=waiting)[0].action == domain.NO_ACTION
