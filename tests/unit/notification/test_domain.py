"""What becomes of a message, and how amounts and reasons read."""

import pytest

from services.chassis import money
from services.notification import domain
from services.notification.domain import Outcome, State


@pytest.mark.parametrize(
    ("outcome", "attempt", "state"),
    [
        (Outcome.SENT, 1, State.SENT),
        (Outcome.SENT, 10, State.SENT),
        (Outcome.REFUSED, 1, State.FAILED),
        (Outcome.DEFERRED, 1, State.QUEUED),
        (Outcome.DEFERRED, 9, State.QUEUED),
        (Outcome.DEFERRED, 10, State.FAILED),
        (Outcome.AWAY, 1, State.QUEUED),
        (Outcome.AWAY, 99, State.QUEUED),
    ],
)
def test_a_message_becomes_what_its_try_came_to(outcome: Outcome, attempt: int, state: State) -> None:
    assert domain.becomes(domain.Result(outcome), attempt=attempt, most_attempts=10) is state


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("USD", 123450, "1234.50 USD"),
        ("USD", 5, "0.05 USD"),
        ("EUR", -1999, "-19.99 EUR"),
        ("JPY", 700, "700 JPY"),
        ("KWD", 1234, "1.234 KWD"),
    ],
)
def test_an_amount_reads_as_a_person_writes_it(currency: str, amount: int, words: str) -> None:
    assert domain.in_words(money.Money(currency, amount)) == words


def test_every_reason_code_reads_as_a_reason() -> None:
    assert domain.cancelled_because("PAYMENT_DECLINED") == "your payment was declined"
    assert domain.cancelled_because("SOMETHING_NEW") == domain.CANCELLED_ANYHOW
