"""Documents as pages and as files: all of the amounts, nothing that somebody wrote as markup, the same file each time."""

import io
import json
from dataclasses import replace

from pypdf import PdfReader

from services.chassis import money
from services.order import domain, paper
from services.order.domain import documents
from services.order.domain.documents import Kind
from services.order.messages import documents as messages
from services.order.paper import pdf
from tests.unit.order.test_documents import document, order_of

ORDER = order_of([(1000, 100, 209, 190_000), (300, 0, 21, 70_000)])


def invoice(order: domain.Order = ORDER) -> documents.Issued:
    return documents.issued(order, [document(Kind.INVOICE, 42, order.total.amount)])[0]


def credit_note() -> documents.Issued:
    both = [document(Kind.INVOICE, 42, ORDER.total.amount), document(Kind.CREDIT_NOTE, 7, 500, 500)]
    return documents.issued(ORDER, both)[1]


def text_of(file: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)


def test_page_file_and_message_say_the_same() -> None:
    for issued in (invoice(), credit_note()):
        told = json.loads(messages.as_json(issued))
        texts = (paper.as_html(issued).decode(), text_of(pdf.as_pdf(issued)))
        for text in texts:
            for expected in (issued.document.name, "Souk Ltd", "1 Market Street", "Ann", str(issued.document.amount)):
                assert expected in text
            for share in issued.shares:
                assert money.Money("EUR", share.tax).decimal in text
        assert told["number"] == issued.document.name
        assert [share["tax_rate"] for share in told["taxes"]] == ["7", "19"]
    assert "INV-2026-000042" in text_of(pdf.as_pdf(credit_note()))


def test_what_a_customer_wrote_is_text_and_no_markup() -> None:
    hostile = replace(ORDER, address=replace(ORDER.address, recipient="<script>alert(1)</script>"))
    assert "<script>" not in paper.as_html(invoice(hostile)).decode()
    assert "<script>alert(1)</script>" in text_of(pdf.as_pdf(invoice(hostile)))


def test_names_in_greek_and_cyrillic_stand_in_the_file_and_others_do_not_break_it() -> None:
    for name, readable in (("Ελένη Ζωή", True), ("Анна Ёлкина", True), ("山田太郎", False)):
        named = replace(ORDER, address=replace(ORDER.address, recipient=name))
        assert (name in text_of(pdf.as_pdf(invoice(named)))) or not readable
        assert name in paper.as_html(invoice(named)).decode()


def test_a_long_order_goes_on_on_the_next_page() -> None:
    long = order_of([(100 + n, 0, 0, 0) for n in range(100)])
    file = PdfReader(io.BytesIO(pdf.as_pdf(invoice(long))))
    assert len(file.pages) > 1
    assert "S99" in text_of(pdf.as_pdf(invoice(long)))


def test_the_same_document_is_the_same_file() -> None:
    assert pdf.as_pdf(invoice()) == pdf.as_pdf(invoice())


def test_a_customer_whose_address_was_erased_leaves_a_document_behind() -> None:
    nobody = replace(ORDER, address=domain.Address("", "", "", "", "", "", ""))
    assert str(ORDER.total) in text_of(pdf.as_pdf(invoice(nobody)))
