"""The payment's table: what follows what, for every path that an order and a provider can take together."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors, ids, money
from services.payment import domain, names
from services.payment.domain import Input, State, moves

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 10, 1, tzinfo=UTC)
YES = domain.Answer(Input.YES, reference="ch_1")
NO = domain.Answer(Input.NO, reason="CARD_DECLINED")
ACTION = domain.Answer(
    Input.ACTION_REQUIRED, reference="ch_1", action=domain.Action("https://bank.example/1", "secret")
)
CONFIRMED = domain.Answer(Input.CONFIRMED)
CANCELLED = domain.Answer(Input.CANCELLED)
TAKEN = domain.Answer(Input.TAKEN)
CHOSEN = domain.Answer(Input.METHOD_CHOSEN, payment_method="card_approved")
PART = domain.Answer(Input.PART_WANTED_BACK, refund_id="refund", amount=1)
REST = domain.Answer(Input.REST_WANTED_BACK, refund_id="refund")

RESTING = {state for state in State if state not in domain.VERBS}
GIVEN_BACK = {State.VOIDED, State.DECLINED, State.REFUNDED}


def begun(amount: int = 1200, payment_method: str = "card_approved") -> domain.Payment:
    request = domain.Request(str(uuid.uuid4()), str(uuid.uuid4()), money.Money("USD", amount), payment_method)
    return moves.begin(request, str(uuid.uuid4()), NOW)


def told(advance: moves.Advance | None) -> list[str]:
    return [type(fact).__name__ for fact in advance.facts] if advance else []


def meant(payment: domain.Payment, said: domain.Answer) -> domain.Answer:
    """What was said, with what is left where all of that is wanted back."""
    return replace(said, amount=payment.left) if said.input is Input.REST_WANTED_BACK else said


def after(*inputs: domain.Answer, payment: domain.Payment | None = None) -> tuple[domain.Payment, list[str]]:
    """What a payment is after these inputs, and all that was told."""
    payment = payment or begun()
    facts: list[str] = []
    for said in inputs:
        advance = moves.advance(payment, meant(payment, said), LATER)
        facts += told(advance)
        payment = advance.payment if advance else payment
    return payment, facts


# Every path there is, as a script: what happens, where it ends, what is told.
SCRIPTS = {
    "authorised": ([YES], State.AUTHORIZED, ["PaymentAuthorized"]),
    "declined": ([NO], State.DECLINED, ["PaymentDeclined"]),
    "confirmed by its customer": (
        [ACTION, ACTION, YES],
        State.AUTHORIZED,
        ["PaymentActionRequired", "PaymentAuthorized"],
    ),
    "not confirmed by its customer": ([ACTION, NO], State.DECLINED, ["PaymentActionRequired", "PaymentDeclined"]),
    "cancelled while its customer is asked": (
        [ACTION, CANCELLED, YES],
        State.VOIDED,
        ["PaymentActionRequired", "PaymentVoided"],
    ),
    "cancelled while authorising, the customer is to be asked": (
        [CANCELLED, ACTION, YES],
        State.VOIDED,
        ["PaymentVoided"],
    ),
    "order confirmed while its customer is asked": (
        [ACTION, CONFIRMED, YES, YES],
        State.CAPTURED,
        ["PaymentActionRequired", "PaymentAuthorized", "PaymentCaptured"],
    ),
    "order confirmed, the customer is to be asked again": (
        [CONFIRMED, ACTION, CANCELLED, YES],
        State.VOIDED,
        ["PaymentCaptureRefused", "PaymentVoided"],
    ),
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
    "captured, a part given back": (
        [YES, CONFIRMED, YES, PART, YES],
        State.CAPTURED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentPartlyRefunded"],
    ),
    "a part refused": ([YES, CONFIRMED, YES, PART, NO], State.CAPTURED, ["PaymentAuthorized", "PaymentCaptured"]),
    "cancelled while a part is given back": (
        [YES, CONFIRMED, YES, PART, CANCELLED, YES, YES],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentPartlyRefunded", "PaymentRefunded"],
    ),
    "cancelled while a part is given back, refused": (
        [YES, CONFIRMED, YES, PART, CANCELLED, NO, YES],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"],
    ),
    "all given back, asked again, cancelled": (
        [YES, CONFIRMED, YES, REST, YES, CONFIRMED, CANCELLED],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded", "PaymentCaptured", "PaymentRefunded"],
    ),
    "all given back, refused": (
        [YES, CONFIRMED, YES, REST, NO],
        State.CAPTURED,
        ["PaymentAuthorized", "PaymentCaptured"],
    ),
    "cancelled while all is given back": (
        [YES, CONFIRMED, YES, REST, CANCELLED, YES],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"],
    ),
    "confirmed early, granted": (
        [CONFIRMED, CONFIRMED, YES, YES],
        State.CAPTURED,
        ["PaymentAuthorized", "PaymentCaptured"],
    ),
    "confirmed early, declined, cancelled": (
        [CONFIRMED, NO, CANCELLED],
        State.DECLINED,
        ["PaymentCaptureRefused", "PaymentVoided"],
    ),
    "confirmed early, cancelled, taken before": (
        [CONFIRMED, CANCELLED, YES, TAKEN, YES],
        State.REFUNDED,
        ["PaymentCaptured", "PaymentRefunded"],
    ),
    "void refused, then done": ([YES, CANCELLED, NO, YES], State.VOIDED, ["PaymentAuthorized", "PaymentVoided"]),
    "refund refused, then done": (
        [YES, CONFIRMED, YES, CANCELLED, NO, YES],
        State.REFUNDED,
        ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"],
    ),
}


# The same for an order without a payment method.
LATER_SCRIPTS = {
    "chosen": ([CHOSEN, YES], State.AUTHORIZED, ["PaymentAuthorized"]),
    "chosen twice": ([CHOSEN, CHOSEN], State.AUTHORIZING, []),
    "chosen before a restore": ([CONFIRMED, YES], State.CAPTURING, ["PaymentAuthorized"]),
    "never chosen": ([CANCELLED, CANCELLED], State.VOIDED, ["PaymentVoided", "PaymentVoided"]),
    "chosen too late": ([CANCELLED, CHOSEN], State.VOIDED, ["PaymentVoided"]),
}


def test_a_refund_says_what_it_gave_back_and_a_repeated_answer_says_nothing_new() -> None:
    steps = []
    payment = begun(1200)
    for said in (YES, CONFIRMED, YES, PART, YES, REST, YES, CANCELLED):
        advance = moves.advance(payment, meant(payment, said), LATER)
        assert advance is not None
        steps += [fact.step for fact in advance.facts if "Refunded" in type(fact).__name__]
        payment = advance.payment
    assert steps == [1, 1199, 0]


@pytest.mark.parametrize("name", LATER_SCRIPTS)
def test_a_payment_without_a_method_follows_the_script(name: str) -> None:
    inputs, state, facts = LATER_SCRIPTS[name]
    payment, heard = after(*inputs, payment=begun(payment_method=""))
    assert (payment.state, heard) == (state, facts)


def test_a_chosen_method_is_kept() -> None:
    payment = moves.choose(begun(payment_method=""), "card_slow", LATER).payment
    assert (payment.state, payment.payment_method, payment.existed) == (State.AUTHORIZING, "card_slow", True)
    with pytest.raises(errors.DomainError, match="PAYMENT_METHOD_NOT_AWAITED"):
        moves.choose(payment, "card_approved", LATER)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_payment_follows_the_script(name: str) -> None:
    inputs, state, facts = SCRIPTS[name]
    payment, heard = after(*inputs)
    assert (payment.state, heard) == (state, facts)


def test_the_scripts_use_every_rule_of_the_table() -> None:
    used = set()
    scripts = [(begun(), inputs) for inputs, _, _ in SCRIPTS.values()]
    scripts += [(begun(payment_method=""), inputs) for inputs, _, _ in LATER_SCRIPTS.values()]
    for begun_payment, inputs in scripts:
        payment = begun_payment
        for said in inputs:
            used.add((payment.state, said.input))
            payment, _ = after(said, payment=payment)
    assert set(moves.TABLE) <= used


def test_every_state_that_asks_the_provider_has_a_rule_for_a_yes() -> None:
    assert all((state, Input.YES) in moves.TABLE for state in domain.VERBS)


def test_every_state_answers_a_cancelled_order_now_or_when_the_provider_has_answered() -> None:
    for state in State:
        rule = moves.TABLE.get((state, Input.CANCELLED))
        goes_on = state in domain.VERBS or (rule and rule.becomes in domain.VERBS)
        assert goes_on or (rule and rule.tells), state


def test_a_definite_answer_changes_nothing_where_nobody_is_asked() -> None:
    for state in RESTING:
        for answer in (YES, NO, TAKEN):
            assert moves.advance(replace(begun(), state=state), answer, LATER) is None


def test_a_change_counts_the_version_and_keeps_when_it_happened() -> None:
    payment, _ = after(YES)
    assert (payment.version, payment.update_time, payment.provider_reference) == (2, LATER, "ch_1")


def test_a_repeated_answer_changes_nothing() -> None:
    payment, _ = after(YES, CONFIRMED, YES)
    advance = moves.advance(payment, CONFIRMED, LATER)
    assert advance
    assert (advance.payment, advance.moved, advance.postings) == (payment, False, ())


def test_a_decline_keeps_its_reason() -> None:
    payment, _ = after(NO)
    assert payment.failure_reason == "CARD_DECLINED"


def test_capturing_posts_what_was_taken_and_refunding_takes_it_back() -> None:
    payment, _ = after(YES, CONFIRMED)
    captured = moves.advance(payment, YES, LATER)
    assert captured
    assert [(p.account, p.amount) for p in captured.postings] == [
        (domain.Account.PROVIDER_RECEIVABLE, 1200),
        (domain.Account.ORDER_REVENUE, -1200),
    ]
    refunding, _ = after(CANCELLED, payment=captured.payment)
    refunded = moves.advance(refunding, YES, LATER)
    assert refunded
    assert [p.amount for p in refunded.postings] == [-1200, 1200]


def test_a_payment_that_never_was_is_voided_and_holds_no_money() -> None:
    nothing = moves.never(domain.Cancellation(str(uuid.uuid4()), str(uuid.uuid4())), str(uuid.uuid4()), NOW)
    assert (nothing.state, nothing.existed, nothing.amount.amount) == (State.VOIDED, False, 0)
    assert told(moves.advance(nothing, CANCELLED, LATER)) == ["PaymentVoided"]
    assert moves.advance(nothing, CONFIRMED, LATER) is None


def test_a_payment_and_its_refunds_are_named_by_what_asks_for_them() -> None:
    order = ids.new_id(NOW)
    payment = names.payment_id(order)
    refund = names.refund_id(payment, "actor", "request")
    assert (names.payment_id(order), names.refund_id(payment, "actor", "request")) == (payment, refund)
    assert (uuid.UUID(payment).version, payment[:13]) == (7, order[:13])
    others = {
        names.payment_id(ids.new_id(NOW)),
        names.refund_id(payment, "actor", "another request"),
        names.refund_id(payment, "another actor", "request"),
    }
    assert len({order, payment, refund, *others}) == 6


def captured(amount: int = 1200) -> domain.Payment:
    payment, _ = after(YES, CONFIRMED, YES, payment=begun(amount))
    return payment


def test_a_refund_is_known_to_the_provider_by_its_own_key_and_a_cancellations_by_none() -> None:
    first = moves.give_back(captured(), money.Money("USD", 200), "r1", LATER).payment
    assert (first.call, first.giving_back, first.left) == ("refund:r1", 200, 1200)
    cancelled, _ = after(CANCELLED, payment=first)
    assert (cancelled.call, cancelled.giving_back) == ("refund:r1", 200)
    rest, _ = after(YES, payment=cancelled)
    assert (rest.state, rest.call, rest.giving_back, rest.refunded) == (State.REFUNDING, "refund", 1000, 200)


def test_all_that_is_left_is_given_back_when_no_amount_is_named() -> None:
    payment, _ = after(YES, payment=moves.give_back(captured(), money.Money("USD", 200), "r1", LATER).payment)
    rest = moves.give_back(payment, None, "r2", LATER).payment
    assert (rest.state, rest.giving_back) == (State.REFUNDING_REST, 1000)
    done = moves.advance(rest, YES, LATER)
    assert done
    assert (done.payment.state, done.payment.refunded, done.payment.refunding) == (State.REFUNDED, 1200, 0)
    assert [posting.amount for posting in done.postings] == [-1000, 1000]


@pytest.mark.parametrize(
    ("payment", "wanted", "reason"),
    [
        (begun(), None, "REFUND_NOT_POSSIBLE"),
        (moves.give_back(captured(), money.Money("USD", 1), "r1", LATER).payment, None, "REFUND_NOT_POSSIBLE"),
        (captured(), money.Money("USD", 1201), "REFUND_AMOUNT_WRONG"),
        (captured(), money.Money("USD", 0), "REFUND_AMOUNT_WRONG"),
        (captured(), money.Money("EUR", 1200), "CURRENCY_MIXED"),
    ],
)
def test_what_cannot_be_given_back_is_refused(payment: domain.Payment, wanted: money.Money | None, reason: str) -> None:
    with pytest.raises(errors.DomainError) as refused:
        moves.give_back(payment, wanted, "r9", LATER)
    assert refused.value.reason == reason


@given(st.lists(st.tuples(st.integers(-5, 1300), st.sampled_from([YES, NO])), max_size=20), st.integers(1, 1200))
def test_whatever_is_asked_for_no_more_is_given_back_than_was_taken(
    wishes: list[tuple[int, domain.Answer]], amount: int
) -> None:
    payment = captured(amount)
    for wanted, answer in wishes:
        try:
            payment = moves.give_back(payment, money.Money("USD", wanted), str(uuid.uuid4()), LATER).payment
        except errors.DomainError:
            continue
        assert 0 < payment.refunding <= payment.left
        payment, _ = after(answer, payment=payment)
        assert 0 <= payment.refunded <= payment.captured
        assert (payment.state is State.REFUNDED) == (payment.refunded == payment.captured)


EVERYTHING = [YES, NO, TAKEN, CONFIRMED, CANCELLED, PART, REST]


@given(st.lists(st.sampled_from(EVERYTHING), max_size=40), st.integers(2, 10**9))
def test_whatever_happens_money_is_taken_once_and_never_more_is_given_back(
    inputs: list[domain.Answer], amount: int
) -> None:
    payment = begun(amount)
    seen: Counter[State] = Counter()
    balance = 0
    for said in inputs:
        if payment.left == PART.amount and said is PART:
            # That is all that is left: `give_back` says so.
            continue
        advance = moves.advance(payment, meant(payment, said), LATER)
        if not advance:
            continue
        assert sum(posting.amount for posting in advance.postings) == 0
        balance += sum(p.amount for p in advance.postings if p.account is domain.Account.PROVIDER_RECEIVABLE)
        seen[advance.payment.state] += advance.moved
        payment = advance.payment
        assert 0 <= payment.refunded <= payment.captured <= amount
        assert balance == payment.captured - payment.refunded
    assert not (payment.captured and seen[State.VOIDED])
    assert all(times == 1 for state, times in seen.items() if times and state in GIVEN_BACK)


@given(st.lists(st.sampled_from(EVERYTHING), max_size=20))
def test_a_cancelled_order_always_gets_its_money_back_and_hears_of_it(inputs: list[domain.Answer]) -> None:
    payment, _ = after(*inputs)
    payment, facts = after(CANCELLED, YES, YES, YES, CANCELLED, payment=payment)
    assert payment.state in GIVEN_BACK
    assert payment.captured == payment.refunded
    assert {"PaymentVoided", "PaymentRefunded"} & set(facts)
