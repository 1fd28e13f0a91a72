"""What two books about an order's money disagree about."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.money import Money
from services.payment.domain import Payment, State, reconciling
from services.payment.domain.reconciling import Book, Charge, Held, Kind

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ORDER = str(uuid.uuid4())
CHARGE = Charge("ch_1", ORDER, Held.TAKEN, "USD", 4200, 200)
PAYMENT = Payment(
    id=str(uuid.uuid4()),
    order_id=ORDER,
    user_id=str(uuid.uuid4()),
    state=State.CAPTURED,
    amount=Money("USD", 4200),
    payment_method="card_approved",
    create_time=NOW,
    update_time=NOW,
    captured=4200,
    refunded=200,
    provider_reference="ch_1",
)
BOOK = Book(PAYMENT, 4000)


def kinds(charges: list[Charge], *books: Book) -> list[Kind]:
    return [finding.kind for finding in reconciling.compare(charges, books)]


def test_books_that_agree_have_no_findings() -> None:
    assert kinds([CHARGE], BOOK) == []
    assert reconciling.missing([PAYMENT], ["ch_1"]) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "kept", "kind"),
    [
        ({"captured": 4199}, {}, 4000, Kind.CAPTURED_DIFFERS),
        ({"refunded": 0}, {}, 4000, Kind.REFUNDED_DIFFERS),
        ({"currency": "EUR"}, {}, 4000, Kind.CURRENCY_DIFFERS),
        ({"state": Held.NOTHING}, {}, 4000, Kind.STATE_DIFFERS),
        ({"state": Held.HELD}, {}, 4000, Kind.STATE_DIFFERS),
        ({}, {"state": State.VOIDED}, 4000, Kind.STATE_DIFFERS),
        ({}, {}, 4001, Kind.LEDGER_DIFFERS),
        ({"reference": "ch_2"}, {}, 4000, Kind.DUPLICATE),
        ({"reference": "ch_2", "order_id": str(uuid.uuid4())}, {}, 4000, Kind.MISSING_HERE),
    ],
)
def test_each_kind_of_difference_is_found(theirs: dict[str, Any], ours: dict[str, Any], kept: int, kind: Kind) -> None:
    assert kinds([replace(CHARGE, **theirs)], Book(replace(PAYMENT, **ours), kept)) == [kind]


def test_a_charge_that_the_provider_does_not_list_is_missed() -> None:
    assert [finding.kind for finding in reconciling.missing([PAYMENT], ["ch_2"])] == [Kind.MISSING_AT_PROVIDER]


@pytest.mark.parametrize("state", [State.VOIDED, State.DECLINED, State.REFUNDING, State.AUTHORIZING])
def test_what_holds_nothing_or_is_on_its_way_is_missed_by_nobody(state: State) -> None:
    assert reconciling.missing([replace(PAYMENT, state=state)], []) == []


def test_nothing_is_said_of_a_payment_that_is_being_asked_about() -> None:
    assert kinds([replace(CHARGE, captured=0, state=Held.HELD)], Book(replace(PAYMENT, state=State.CAPTURING), 0)) == []


def test_a_charge_without_money_is_missed_by_nobody() -> None:
    assert kinds([replace(CHARGE, state=Held.NOTHING)]) == []


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=20))
def test_as_many_charges_as_differ_are_found(captured: list[int]) -> None:
    orders = [str(uuid.uuid4()) for _ in captured]
    charges = [Charge(order, order, Held.TAKEN, "USD", 2500, 0) for order in orders]
    books = [
        Book(replace(PAYMENT, order_id=order, provider_reference=order, captured=amount, refunded=0), amount)
        for order, amount in zip(orders, captured, strict=True)
    ]
    assert len(reconciling.compare(charges, books)) == sum(amount != 2500 for amount in captured)
