"""Invoices and credit notes as values: what they are numbered, and what of their amount belongs to which rate of tax.

A document is a row that never changes and an order that never changes: its lines and its taxes follow from the two.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis import errors, money
from services.order import domain


class Kind(StrEnum):
    """What a document is. The names are those of the contract and of SQL."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


_PREFIXES = {Kind.INVOICE: "INV", Kind.CREDIT_NOTE: "CN"}


class Seller:
    """Who sells, from `{"name": "Souk Ltd", "address": ["1 Market Street", "Springfield"], "tax_id": "GB123456789"}`."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for what is no such object."""
        told = json.loads(text)
        if not isinstance(told, dict) or told.keys() - {"name", "address", "tax_id"}:
            raise ValueError("must be an object of name, address and tax_id")
        lines = told.get("address", [])
        texts = [told.get("name", ""), told.get("tax_id", ""), *(lines if isinstance(lines, list) else [None])]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("name and tax_id must be text, and address a list of lines")
        self.name, self.tax_id, *rest = texts
        self.address = tuple(rest)

    def __str__(self) -> str:
        return json.dumps(self.details)

    @property
    def details(self) -> Mapping[str, object]:
        """What it was made of."""
        return {"name": self.name, "address": list(self.address), "tax_id": self.tax_id}


@dataclass(frozen=True, slots=True)
class Due:
    """A document to be issued. refunded is how much of the order was refunded in all with this refund; 0 for its invoice."""

    order_id: str
    kind: Kind
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was issued."""

    kind: Kind
    series: str
    number: int
    order_id: str
    refunded: int
    amount: money.Money
    seller: Seller
    issue_time: datetime

    @property
    def name(self) -> str:
        """Its number as people write it."""
        return f"{_PREFIXES[self.kind]}-{self.series}-{self.number:06}"


@dataclass(frozen=True, slots=True)
class Share:
    """What is charged, or given back, at one rate of tax (in millionths), with the tax in it."""

    rate: int
    gross: int
    tax: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A document with what follows from its order. invoice is the name of the invoice that a credit note belongs to."""

    document: Document
    order: domain.Order
    shares: tuple[Share, ...]
    invoice: str = ""

    @property
    def lines(self) -> tuple[domain.Line, ...]:
        """The lines that an invoice charges; a credit note gives back a sum."""
        return self.order.lines if self.document.kind is Kind.INVOICE else ()


def issued(order: domain.Order, documents: Sequence[Document]) -> list[Issued]:
    """The documents of an order, its invoice first and its credit notes in the order of their refunds."""
    credited = sorted((one for one in documents if one.kind is Kind.CREDIT_NOTE), key=lambda one: one.refunded)
    invoices = [one for one in documents if one.kind is Kind.INVOICE]
    left = shares_of(order)
    found = [Issued(one, order, left) for one in invoices]
    name = invoices[0].name if invoices else ""
    for note in credited:
        given = give_back(left, note.amount)
        left = tuple(Share(a.rate, a.gross - b.gross, a.tax - b.tax) for a, b in zip(left, given, strict=True))
        found.append(Issued(note, order, tuple(share for share in given if share.gross), name))
    return found


def shares_of(order: domain.Order) -> tuple[Share, ...]:
    """What an order comes to by rate of tax, the lowest first."""
    rates: dict[int, Share] = {}
    for line in order.lines:
        before = rates.get(line.charges.tax_rate, Share(line.charges.tax_rate, 0, 0))
        payable = line.payable(taxes_included=order.taxes_included).amount
        rates[before.rate] = Share(before.rate, before.gross + payable, before.tax + line.charges.tax)
    return tuple(rates[rate] for rate in sorted(rates))


def give_back(left: Sequence[Share], amount: money.Money) -> tuple[Share, ...]:
    """An amount as shares of what is left by rate: what is left at the end is given back to the last minor unit, taxes too.

    Never more than what is left of a rate.
    """
    if not any(share.gross for share in left):
        return tuple(Share(share.rate, 0, 0) for share in left)
    parts = money.split(amount, [share.gross for share in left])
    return tuple(Share(of.rate, part.amount, _tax(of, part.amount)) for of, part in zip(left, parts, strict=True))


def _tax(of: Share, part: int) -> int:
    """The tax in a part of a share, half of a minor unit upwards."""
    return (2 * of.tax * part + of.gross) // (2 * of.gross) if of.gross else 0


def only(found: Sequence[Issued], kind: Kind, name: str = "") -> Issued:
    """The one of this kind (and name). Raises INVOICE_NOT_ISSUED or CREDIT_NOTE_NOT_FOUND."""
    for one in found:
        if one.document.kind is kind and name in ("", one.document.name):
            return one
    if kind is Kind.INVOICE:
        raise errors.not_found("INVOICE_NOT_ISSUED", "the order is invoiced when its payment was captured")
    raise errors.not_found("CREDIT_NOTE_NOT_FOUND", "the order has no such credit note", number=name)
