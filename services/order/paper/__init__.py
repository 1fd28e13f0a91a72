"""Documents as people read them: a page (`page.html`, whose texts are escaped) or a PDF file, of the same rows of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from services.chassis import money
from services.order import domain
from services.order.domain import documents, rates
from services.order.domain.documents import Kind

_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)
TITLES = {Kind.INVOICE: "Invoice", Kind.CREDIT_NOTE: "Credit note"}
LINE_HEADS = ("Item", "SKU", "Quantity", "Unit price", "Discount", "Shipping", "Tax", "Payable")
SHARE_HEADS = ("Tax rate", "Net", "Tax", "Gross")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the paper, as texts."""

    title: str
    number: str
    facts: Sequence[tuple[str, str]]
    seller: Sequence[str]
    buyer: Sequence[str]
    lines: Sequence[Sequence[str]]
    shares: Sequence[Sequence[str]]
    total: str
    remark: str


def sheet(issued: documents.Issued) -> Sheet:
    """A document as texts."""
    document, order = issued.document, issued.order
    refers = [("Invoice", issued.invoice)] if issued.invoice else []
    seller = document.seller
    return Sheet(
        title=TITLES[document.kind],
        number=document.name,
        facts=[("Issued", f"{document.issue_time:%Y-%m-%d}"), ("Order", document.order_id), *refers],
        seller=[seller.name, *seller.address, *([f"Tax number {seller.tax_id}"] if seller.tax_id else [])],
        buyer=_address(order.address),
        lines=[_line(line, order) for line in issued.lines],
        shares=[_share(share, document.amount.currency) for share in issued.shares],
        total=str(document.amount),
        remark="Prices contain the taxes." if order.taxes_included else "Taxes are added to the prices.",
    )


def as_html(issued: documents.Issued) -> bytes:
    """The document as a page."""
    page = _PAGES.get_template("page.html")
    return page.render(sheet=sheet(issued), line_heads=LINE_HEADS, share_heads=SHARE_HEADS).encode()


def _address(there: domain.Address) -> list[str]:
    city = " ".join(word for word in (there.postal_code, there.city) if word)
    lines = (there.recipient, there.line1, there.line2, city, there.region, there.country)
    return [line for line in lines if line]


def _line(line: domain.Line, order: domain.Order) -> list[str]:
    charges = line.charges
    amounts = [line.unit_price.amount, -charges.discount, charges.shipping, charges.tax]
    payable = line.payable(taxes_included=order.taxes_included)
    decimals = [line.in_currency(amount).decimal for amount in amounts]
    return [line.title, line.sku, str(line.quantity), *decimals, payable.decimal]


def _share(share: documents.Share, currency: str) -> list[str]:
    amounts = (share.gross - share.tax, share.tax, share.gross)
    return [f"{rates.per_cent(share.rate)} %", *(money.Money(currency, amount).decimal for amount in amounts)]
