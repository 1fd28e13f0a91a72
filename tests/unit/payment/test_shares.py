"""Whose a payment is: what is taken out of it is borne by somebody, to the last minor unit, and by nobody twice."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.money import Money
from services.payment import domain
from services.payment.domain import Account, Input, moves, notices, returns, shares

NOW = datetime(2026, 11, 30, tzinfo=UTC)
WHO = st.sampled_from(["", "a", "b", "c"])
PARTS = st.dictionaries(WHO, st.integers(1, 10_000), min_size=1)
NAMED = st.dictionaries(WHO, st.integers(0, 10_000))


def captured(vendors: Mapping[str, int], amount: int) -> domain.Payment:
    request = domain.Request(str(uuid.uuid4()), "user", Money("USD", amount), "card", shares=shares.of(amount, vendors))
    payment = moves.begin(request, str(uuid.uuid4()), NOW)
    for said in (Input.YES, Input.CONFIRMED, Input.YES):
        payment = moved(moves.advance(payment, domain.Answer(said), NOW)).payment
    return payment


def moved(advance: object) -> moves.Advance:
    assert isinstance(advance, moves.Advance)
    return advance


def refunded(payment: domain.Payment, amount: int, named: Mapping[str, int]) -> moves.Advance:
    wanted = returns.Wanted(str(uuid.uuid4()), payment.order_id, Money("USD", amount), named)
    begun = moved(returns.begin(payment, wanted, NOW)).payment
    return moved(moves.advance(begun, domain.Answer(Input.YES), NOW))


@given(PARTS, NAMED, st.data())
def test_what_is_taken_adds_up_and_takes_from_nobody_more_than_is_left(
    rest: Mapping[str, int], named: Mapping[str, int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(rest.values())))
    taken = shares.take(rest, Money("USD", amount), named)
    assert sum(taken.values()) == amount
    assert all(0 < taken[who] <= rest[who] for who in taken)


@given(PARTS, st.lists(st.tuples(st.integers(1, 10_000), NAMED), max_size=6))
def test_refunds_in_any_order_bear_the_same_in_all_and_the_last_leaves_nobody_anything(
    vendors: Mapping[str, int], pieces: list[tuple[int, Mapping[str, int]]]
) -> None:
    amount = sum(vendors.values())
    named = {who: part for who, part in vendors.items() if who}
    for order in (pieces, list(reversed(pieces))):
        assert totals(captured(named, amount), order) == shares.of(amount, named)


def totals(payment: domain.Payment, pieces: Sequence[tuple[int, Mapping[str, int]]]) -> Mapping[str, int]:
    """What everybody bears of these refunds and of one of all that is left."""
    for amount, named in [*pieces, (payment.amount.amount, {})]:
        if payment.left:
            payment = refunded(payment, amount, named).payment
            borne = payment.refunded_shares
            assert sum(borne.values()) == (payment.refunded if payment.shares else 0)
            assert all(0 <= borne[who] <= payment.shares[who] for who in borne)
    return payment.refunded_shares


@given(PARTS, st.integers(1, 20_000))
def test_a_dispute_is_borne_by_those_who_have_something_left_and_given_back_as_it_was_taken(
    vendors: Mapping[str, int], amount: int
) -> None:
    payment = captured({who: part for who, part in vendors.items() if who}, sum(vendors.values()))
    part = shares.Part(amount, notices.borne(payment, amount))
    opened = notices.postings(None, notices.DisputeState.OPEN, part)
    won = notices.postings(notices.DisputeState.OPEN, notices.DisputeState.WON, part)
    for line in [*opened, *won]:
        assert sum(line.shares.values()) == (line.amount if payment.shares else 0)
    for account in Account:
        of = [line.shares for line in [*opened, *won] if line.account is account]
        assert not of or shares.plus(*of) == {}


def test_the_refund_of_a_return_is_borne_by_the_vendors_of_what_came_back() -> None:
    payment = captured({"a": 1000, "b": 500}, 1700)
    assert payment.shares == {"": 200, "a": 1000, "b": 500}

    advance = refunded(payment, 450, {"": 50, "a": 400})

    assert (advance.cause, advance.payment.refunded_shares) == (domain.Cause.REFUNDED, {"": 50, "a": 400})
    assert {line.account: line.shares for line in advance.postings} == {
        Account.PROVIDER_RECEIVABLE: {"": -50, "a": -400},
        Account.ORDER_REVENUE: {"": 50, "a": 400},
    }


def test_a_refund_that_failed_late_is_given_back_to_those_who_bore_it() -> None:
    advance = refunded(captured({"a": 1000, "b": 500}, 1700), 450, {"a": 450})
    part = shares.Part(advance.given, advance.given_shares)

    failed = moved(moves.take_back(advance.payment, part, "card_closed", NOW))

    assert (failed.cause, failed.payment.refunded_shares) == (domain.Cause.REFUND_FAILED, {})
    assert failed.postings[0] == domain.Posting(Account.PROVIDER_RECEIVABLE, 450, {"a": 450})


def test_a_payment_of_nobody_in_particular_is_the_shops() -> None:
    assert shares.of(1200, {}) == {}
    assert refunded(captured({}, 1200), 500, {"a": 500}).postings[0].shares == {}


def test_shares_of_more_than_there_is_make_no_sense() -> None:
    with pytest.raises(ValueError, match="more than the amount"):
        shares.of(100, {"a": 101})
