"""Invoices and credit notes by rate of tax: whatever is refunded in whichever parts, it adds up, and so do the taxes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors, money
from services.order import domain
from services.order.domain import documents
from services.order.domain.documents import Kind

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SELLER = documents.Seller('{"name": "Souk Ltd", "address": ["1 Market Street"], "tax_id": "GB1"}')
ADDRESS = domain.Address("Ann", "1 Road", "", "Town", "", "N1", "GB")
CENTS = st.integers(0, 100_000)
LINES = st.lists(st.tuples(CENTS, CENTS, CENTS, st.sampled_from([0, 70_000, 190_000, 200_000])), min_size=1, max_size=6)


def order_of(lines: list[tuple[int, int, int, int]], *, included: bool = False) -> domain.Order:
    """An order of lines given as price, shipping, tax and rate."""
    made = tuple(
        domain.Line(
            f"S{n}", "A thing", 1, money.Money("EUR", price), domain.Charges(0, shipping, tax if rate else 0, rate)
        )
        for n, (price, shipping, tax, rate) in enumerate(lines)
    )
    total = domain.totals_of(made, taxes_included=included).total
    return domain.Order("o", "u", made, total, ADDRESS, "", NOW, included)


def document(kind: Kind, number: int, amount: int, refunded: int = 0) -> documents.Document:
    return documents.Document(kind, "2026", number, "o", refunded, money.Money("EUR", amount), SELLER, NOW)


@given(lines=LINES, included=st.booleans())
def test_the_shares_of_an_invoice_add_up_to_the_orders_total_and_taxes(
    lines: list[tuple[int, int, int, int]], *, included: bool
) -> None:
    order = order_of(lines, included=included)
    shares = documents.shares_of(order)
    assert sum(share.gross for share in shares) == order.total.amount
    assert sum(share.tax for share in shares) == order.totals.taxes.amount
    assert [share.rate for share in shares] == sorted({line.charges.tax_rate for line in order.lines})


@given(LINES, st.lists(st.integers(1, 1000), min_size=1, max_size=5))
def test_refunds_in_parts_give_back_each_rate_to_the_last_minor_unit_and_never_more(
    lines: list[tuple[int, int, int, int]], weights: list[int]
) -> None:
    order = order_of(lines)
    notes, refunded = [], 0
    for number, part in enumerate(money.split(order.total, weights), start=1):
        refunded += part.amount
        if part.amount:
            notes.append(document(Kind.CREDIT_NOTE, number, part.amount, refunded))
    issued = documents.issued(order, [document(Kind.INVOICE, 1, order.total.amount), *reversed(notes)])
    credited = issued[1:]
    for note in credited:
        assert sum(share.gross for share in note.shares) == note.document.amount.amount
        assert all(0 <= share.tax <= share.gross or share.gross == 0 for share in note.shares if share.rate == 0)
    for whole in documents.shares_of(order):
        given_back = [share for note in credited for share in note.shares if share.rate == whole.rate]
        assert sum(share.gross for share in given_back) == whole.gross
        if whole.gross:
            assert sum(share.tax for share in given_back) == whole.tax


def test_a_credit_note_names_its_invoice_and_only_its_own_is_found() -> None:
    order = order_of([(1000, 0, 190, 190_000)])
    found = documents.issued(order, [document(Kind.CREDIT_NOTE, 7, 500, 500), document(Kind.INVOICE, 42, 1190)])
    assert [(one.document.name, one.invoice) for one in found] == [
        ("INV-2026-000042", ""),
        ("CN-2026-000007", "INV-2026-000042"),
    ]
    assert documents.only(found, Kind.CREDIT_NOTE, "CN-2026-000007") is found[1]
    with pytest.raises(errors.DomainError, match="no such credit note"):
        documents.only(found, Kind.CREDIT_NOTE, "CN-2026-000008")
    with pytest.raises(errors.DomainError, match="when its payment was captured"):
        documents.only([], Kind.INVOICE)


@pytest.mark.parametrize("text", ["[]", '{"vat": "1"}', '{"name": 7}', '{"address": "1 Road"}', "{"])
def test_a_seller_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        documents.Seller(text)
