"""The payment's table: what follows what, for every path that an order and a provider can take together."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import money
from services.payment import domain
from services.payment.domain import Input, State

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 10, 1, tzinfo=UTC)
YES = domain.Answer(Input.YES, reference="ch_1")
NO = domain.Answer(Input.NO, reason="CARD_DECLINED")
CONFIRMED = domain.Answer(Input.CONFIRMED)
CANCELLED = domain.Answer(Input.CANCELLED)

RESTING = {state for state in State if state not in domain.VERBS}
GIVEN_BACK = {State.VOIDED, State.DECLINED, State.REFUNDED}


def begun(amount: int = 1200) -> domain.Payment:
    request = domain.Request(str(uuid.uuid4()), str(uuid.uuid4()), money.Money("USD", amount), "card_approved")
    return domain.begin(request, str(uuid.uuid4()), NOW)


def told(advance: domain.Advance | None) -> list[str]:
    return [type(fact).__name__ for fact in advance.facts] if advance else []


def after(*inputs: domain.Answer, payment: domain.Payment | None = None) -> tuple[domain.Payment, list[str]]:
    """What a payment is after these inputs, and all that was told."""
    payment = payment or begun()
    facts: list[str] = []
    for said in inputs:
        advance = domain.advance(payment, said, LATER)
        facts += told(advance)
        payment = advance.payment if advance else payment
    return payment, facts


# Every path there is, as a script: what happens, where it ends, what is told.
SCRIPTS = {
    "authorised": ([YES], State.AUTHORIZED, ["PaymentAuthorized"]),
    "declined": ([NO], State.DECLINED, ["PaymentDeclined"]),
    "captured": ([YES, CONFIRMED, YES], State.CAPTURED, ["PaymentAuthorized", "PaymentCaptured"]),
    "captured, asked again": (
        [YES, CONFIRMED, YES, CONFIRMED],
        State.CAPTURED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentCaptured"],
    ),
    "asked again while capturing": ([YES, CONFIRMED, CONFIRMED], State.CAPTURING, ["PaymentAuthorized"]),
    "declined, cancelled": ([NO, CANCELLED], State.DECLINED, ["PaymentDeclined", "PaymentVoided"]),
    "declined, cancelled twice": (
        [NO, CANCELLED, CANCELLED],
        State.DECLINED,
        ["PaymentDeclined", "PaymentVoided", "PaymentVoided"],
    ),
    "cancelled while authorising, granted": ([CANCELLED, YES, YES], State.VOIDED, ["PaymentVoided"]),
    "cancelled while authorising, declined": ([CANCELLED, NO], State.DECLINED, ["PaymentVoided"]),
    "cancelled twice while authorising": ([CANCELLED, CANCELLED], State.AUTHORIZING_CANCELLED, []),
    "authorised, cancelled": ([YES, CANCELLED, YES], State.VOIDED, ["PaymentAuthorized", "PaymentVoided"]),
    "voided, cancelled again": (
        [YES, CANCELLED, CANCELLED, YES, CANCELLED],
        State.VOIDED,
        ["PaymentAuthorized", "PaymentVoided", "PaymentVoided"],
    ),
    "cancelled while capturing, captured": (
        [YES, CONFIRMED, CANCELLED, YES, YES],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"],
    ),
    "cancelled while capturing, refused": (
        [YES, CONFIRMED, CANCELLED, NO, YES],
        State.VOIDED,
        ["PaymentAuthorized", "PaymentVoided"],
    ),
    "captured, cancelled": (
        [YES, CONFIRMED, YES, CANCELLED, CANCELLED, YES, CANCELLED],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded", "PaymentRefunded"],
    ),
    "capture refused, asked again, cancelled": (
        [YES, CONFIRMED, NO, CONFIRMED, CANCELLED, YES],
        State.VOIDED,
        ["PaymentAuthorized", "PaymentCaptureRefused", "PaymentCaptureRefused", "PaymentVoided"],
    ),
    "void refused, then done": ([YES, CANCELLED, NO, YES], State.VOIDED, ["PaymentAuthorized", "PaymentVoided"]),
    "refund refused, then done": (
        [YES, CONFIRMED, YES, CANCELLED, NO, YES],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"],
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_payment_follows_the_script(name: str) -> None:
    inputs, state, facts = SCRIPTS[name]
    payment, heard = after(*inputs)
    assert (payment.state, heard) == (state, facts)


def test_the_scripts_use_every_rule_of_the_table() -> None:
    used = set()
    for inputs, _, _ in SCRIPTS.values():
        payment = begun()
        for said in inputs:
            used.add((payment.state, said.input))
            payment, _ = after(said, payment=payment)
    assert set(domain.TABLE) <= used


def test_every_state_that_asks_the_provider_has_a_rule_for_a_yes() -> None:
    assert all((state, Input.YES) in domain.TABLE for state in domain.VERBS)


def test_every_state_answers_a_cancelled_order_now_or_when_the_provider_has_answered() -> None:
    for state in State:
        rule = domain.TABLE.get((state, Input.CANCELLED))
        goes_on = state in domain.VERBS or (rule and rule.becomes in domain.VERBS)
        assert goes_on or (rule and rule.tells), state


def test_a_definite_answer_changes_nothing_where_nobody_is_asked() -> None:
    for state in RESTING:
        for answer in (YES, NO):
            assert domain.advance(replace(begun(), state=state), answer, LATER) is None


def test_a_change_counts_the_version_and_keeps_when_it_happened() -> None:
    payment, _ = after(YES)
    assert (payment.version, payment.update_time, payment.provider_reference) == (2, LATER, "ch_1")


def test_a_repeated_answer_changes_nothing() -> None:
    payment, _ = after(YES, CONFIRMED, YES)
    advance = domain.advance(payment, CONFIRMED, LATER)
    assert advance
    assert (advance.payment, advance.moved, advance.postings) == (payment, False, ())


def test_a_decline_keeps_its_reason() -> None:
    payment, _ = after(NO)
    assert payment.failure_reason == "CARD_DECLINED"


def test_capturing_posts_what_was_taken_and_refunding_takes_it_back() -> None:
    payment, _ = after(YES, CONFIRMED)
    captured = domain.advance(payment, YES, LATER)
    assert captured
    assert [(p.account, p.amount) for p in captured.postings] == [
        (domain.Account.PROVIDER_RECEIVABLE, 1200),
        (domain.Account.ORDER_REVENUE, -1200),
    ]
    refunding, _ = after(CANCELLED, payment=captured.payment)
    refunded = domain.advance(refunding, YES, LATER)
    assert refunded
    assert [p.amount for p in refunded.postings] == [-1200, 1200]


def test_a_payment_that_never_was_is_voided_and_holds_no_money() -> None:
    nothing = domain.never(domain.Cancellation(str(uuid.uuid4()), str(uuid.uuid4())), str(uuid.uuid4()), NOW)
    assert (nothing.state, nothing.existed, nothing.amount.amount) == (State.VOIDED, False, 0)
    assert told(domain.advance(nothing, CANCELLED, LATER)) == ["PaymentVoided"]
    assert domain.advance(nothing, CONFIRMED, LATER) is None


@given(st.lists(st.sampled_from([YES, NO, CONFIRMED, CANCELLED]), max_size=40), st.integers(1, 10**9))
def test_whatever_happens_money_is_taken_once_and_never_more_is_given_back(
    inputs: list[domain.Answer], amount: int
) -> None:
    payment = begun(amount)
    seen: Counter[State] = Counter()
    balance = 0
    for said in inputs:
        advance = domain.advance(payment, said, LATER)
        if not advance:
            continue
        assert sum(posting.amount for posting in advance.postings) == 0
        balance += sum(p.amount for p in advance.postings if p.account is domain.Account.PROVIDER_RECEIVABLE)
        seen[advance.payment.state] += advance.moved
        payment = advance.payment
        assert 0 <= payment.refunded <= payment.captured <= amount
        assert balance == payment.captured - payment.refunded
    assert not (payment.captured and seen[State.VOIDED])
    assert all(times == 1 for state, times in seen.items() if times and state in GIVEN_BACK | {State.CAPTURED})


@given(st.lists(st.sampled_from([YES, NO, CONFIRMED, CANCELLED]), max_size=20))
def test_a_cancelled_order_always_gets_its_money_back_and_hears_of_it(inputs: list[domain.Answer]) -> None:
    payment, _ = after(*inputs)
    payment, facts = after(CANCELLED, YES, YES, CANCELLED, payment=payment)
    assert payment.state in GIVEN_BACK
    assert payment.captured == payment.refunded
    assert {"PaymentVoided", "PaymentRefunded"} & set(facts)
