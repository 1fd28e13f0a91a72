"""The rules of the auditor: each disagreement is found by itself, and what a reader cannot see is not judged."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from scripts.operate.audit.cases import Case, Goods, Money, Order, Papers, Parcel, Provider, Return, disagreements

MUGS = Counter({"MUG": 2})
ORDER = Order("o", "CONFIRMED", "DONE", "USD", 700, 700, MUGS, 2, "p", ((1, "PENDING"), (2, "CONFIRMED")))
PROVIDER = Provider(Counter(authorized=700, captured=700), charges=1)
MONEY = Money("p", "CAPTURED", "USD", captured=700, receivable=700, provider=PROVIDER)
AGREED = Case(ORDER, MONEY, Goods(committed=MUGS, taken=MUGS))
CANCELLED = Case(
    replace(ORDER, status="CANCELLED", history=((1, "PENDING"), (2, "CANCELLED"))),
    replace(MONEY, state="VOIDED", captured=0, receivable=0, provider=Provider(Counter(authorized=700, voided=700), 1)),
    Goods(),
)


def found(case: Case) -> list[str]:
    return [line.removeprefix(f"order o ({case.order.status}): ") for line in disagreements(case)]


@pytest.mark.parametrize("case", [AGREED, CANCELLED, replace(AGREED, money=replace(MONEY, provider=None))])
def test_books_that_agree_give_no_reason_to_complain(case: Case) -> None:
    assert found(case) == []


@pytest.mark.parametrize(
    ("case", "changed", "complaint"),
    [
        (AGREED, {"step": "PAYMENT"}, "it is not at an end: PAYMENT"),
        (AGREED, {"version": 3}, "its history has gaps: ((1, 'PENDING'), (2, 'CONFIRMED')), version 3"),
        (AGREED, {"history": ((1, "PENDING"), (2, "RESERVED"))}, "its history ends with RESERVED"),
        (AGREED, {"payment_id": "q"}, "it names payment q, its payment is p"),
        (AGREED, {"total": 701, "payable": 701}, "700 USD were taken, due are 701 USD"),
        (AGREED, {"payable": 701}, "its lines come to 701 USD, its total is 700 USD"),
        (AGREED, {"currency": "EUR"}, "700 USD were taken, due are 700 EUR"),
    ],
)
def test_an_order_that_its_books_contradict_is_found(case: Case, changed: dict[str, Any], complaint: str) -> None:
    assert found(replace(case, order=replace(case.order, **changed))) == [complaint]


@pytest.mark.parametrize(
    ("case", "changed", "complaint"),
    [
        (AGREED, {"provider": replace(PROVIDER, charges=2)}, "it was charged 2 times"),
        (
            AGREED,
            {"provider": Provider(Counter(authorized=1400, captured=1400), 1)},
            "its payment says 700 - 0, the provider {'authorized': 1400, 'captured': 1400}",
        ),
        (
            AGREED,
            {"provider": Provider(Counter(authorized=900, captured=700), 1)},
            "the provider still holds money: {'authorized': 900, 'captured': 700}",
        ),
        (AGREED, {"receivable": 0}, "its ledger says 0, its payment 700 - 0"),
        (CANCELLED, {"state": "AUTHORIZED"}, "its payment is AUTHORIZED"),
        (
            CANCELLED,
            {"captured": 700, "receivable": 700, "provider": None},
            "700 USD of its money are kept",
        ),
    ],
)
def test_money_that_its_books_contradict_is_found(case: Case, changed: dict[str, Any], complaint: str) -> None:
    assert found(replace(case, money=replace(case.money, **changed))) == [complaint]


def test_a_refund_that_nobody_asked_for_is_found_and_one_that_was_asked_for_is_not() -> None:
    provider = Provider(Counter(authorized=700, captured=700, refunded=300), 1)
    money = replace(MONEY, refunded=300, receivable=400, provider=provider)
    assert found(replace(AGREED, money=money)) == ["300 USD were given back, of which 0 were asked for"]
    assert found(replace(AGREED, money=replace(money, asked_back=300))) == []


@pytest.mark.parametrize(
    ("goods", "complaint"),
    [
        (Goods(MUGS, MUGS, MUGS), "stock is still held: {'MUG': 2}"),
        (Goods(committed=Counter(MUG=3), taken=MUGS), "stock committed is {'MUG': 3}, due is {'MUG': 2}"),
        (Goods(committed=MUGS), "stock that left the shelf is {}, due is {'MUG': 2}"),
    ],
)
def test_stock_that_its_books_contradict_is_found(goods: Goods, complaint: str) -> None:
    assert found(replace(AGREED, goods=goods)) == [complaint]


PARCEL = Parcel("x", "DELIVERED", MUGS, labelled=True, bought=1)
SENT = replace(
    AGREED,
    order=replace(ORDER, status="DELIVERED", history=((1, "PENDING"), (2, "DELIVERED"))),
    parcels=(PARCEL,),
)


def sent(status: str, step: str, *parcels: Parcel) -> Case:
    history = ((1, "PENDING"), (2, status))
    return replace(SENT, order=replace(SENT.order, status=status, step=step, history=history), parcels=parcels)


@pytest.mark.parametrize(
    "case",
    [
        SENT,
        sent("FULFILLING", "DELIVERY", replace(PARCEL, state="LABELLING", labelled=False, bought=0)),
        sent("SHIPPED", "DELIVERY", replace(PARCEL, state="LOST")),
        replace(SENT, parcels=(replace(PARCEL, bought=None),)),
        replace(CANCELLED, parcels=(replace(PARCEL, state="STOPPED"),)),
    ],
)
def test_parcels_that_agree_with_their_order_give_no_reason_to_complain(case: Case) -> None:
    assert found(case) == []


@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        (sent("DELIVERED", "DONE"), "in its parcels are {}, wanted are {'MUG': 2}"),
        (
            sent("DELIVERED", "DONE", replace(PARCEL, lines=Counter({"MUG": 1}))),
            "in its parcels are {'MUG': 1}, wanted are {'MUG': 2}",
        ),
        (sent("DELIVERED", "DONE", replace(PARCEL, state="IN_TRANSIT")), "its parcel x is IN_TRANSIT"),
        (sent("SHIPPED", "DELIVERY", replace(PARCEL, state="PACKED")), "its parcel x is PACKED"),
        (replace(CANCELLED, parcels=(replace(PARCEL, state="IN_TRANSIT"),)), "its parcel x is IN_TRANSIT"),
        (replace(SENT, parcels=(replace(PARCEL, bought=2),)), "of its parcel x the carrier sold 2 labels"),
        (replace(SENT, parcels=(replace(PARCEL, bought=0),)), "of its parcel x the carrier sold 0 labels"),
    ],
)
def test_parcels_that_contradict_their_order_are_found(case: Case, complaint: str) -> None:
    assert found(case) == [complaint]


@pytest.mark.parametrize(
    ("papers", "complaints"),
    [
        (Papers(700), []),
        (Papers(), ["0 USD of it are invoiced, 700 were taken"]),
        (Papers(700, 701), ["701 USD of it are credited, 0 were given back"]),
    ],
)
def test_documents_that_contradict_the_payment_are_found(papers: Papers, complaints: list[str]) -> None:
    assert found(replace(AGREED, papers=papers)) == complaints


def test_a_refund_without_a_credit_note_is_found() -> None:
    case = replace(
        AGREED, papers=Papers(700), money=replace(MONEY, refunded=50, receivable=650, asked_back=50, provider=None)
    )
    assert found(case) == ["0 USD of it are credited, 50 were given back"]


@pytest.mark.parametrize(("failed", "complaints"), [(0, 1), (100, 0)])
def test_a_credit_note_over_more_than_was_given_back_is_found_unless_that_failed_late(
    failed: int, complaints: int
) -> None:
    money = replace(MONEY, refunded=50, receivable=650, asked_back=150, failed=failed, provider=None)
    assert len(found(replace(AGREED, papers=Papers(700, 150), money=money))) == complaints


BACK = Return("r", "REFUNDED", MUGS, Counter({"MUG": 1}), 700, 700, 700, Counter({"MUG": 1}))
SENT_BACK = replace(
    AGREED,
    money=replace(MONEY, refunded=700, receivable=0, asked_back=700, provider=None, state="REFUNDED"),
    returns=(BACK,),
)


def test_a_return_whose_money_and_goods_came_back_is_no_reason_to_complain() -> None:
    assert found(SENT_BACK) == []


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"claims": Counter({"MUG": 3})}, "returned are {'MUG': 3}, of {'MUG': 2}"),
        ({"given": None}, "its return r (REFUNDED) got 700, its payment says None"),
        ({"refunded": None, "due": None}, "its return r (REFUNDED) got 700, due are None"),
        ({"refunded": None, "due": 600}, "its return r (REFUNDED) got 700, due are 600"),
        ({"shelved": Counter()}, "of its return r (REFUNDED) {} are on shelves, to be sold again are {'MUG': 1}"),
    ],
)
def test_a_return_that_its_books_contradict_is_found(changed: dict[str, Any], complaint: str) -> None:
    assert found(replace(SENT_BACK, returns=(replace(BACK, **changed),))) == [complaint]


def test_returns_that_got_more_than_was_given_back_are_found() -> None:
    money = replace(SENT_BACK.money, refunded=100, receivable=600)
    assert found(replace(SENT_BACK, money=money)) == ["700 USD were given back for returns, and 100 in all"]
