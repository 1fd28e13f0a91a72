"""What the provider says of an order's money, held against ours. Pure: two books in, what they disagree about out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.payment.domain import Payment, State


class Held(StrEnum):
    """Where a charge is at the provider: its amount is held, was taken (maybe refunded since), or nothing is held."""

    HELD = "HELD"
    TAKEN = "TAKEN"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as the provider has it, in minor units. order_id is empty when it does not say."""

    reference: str
    order_id: str
    state: Held
    currency: str
    captured: int
    refunded: int


@dataclass(frozen=True, slots=True)
class Book:
    """A payment, and what the ledger says is kept of it, in minor units."""

    payment: Payment
    kept: int


class Kind(StrEnum):
    """What two books disagree about."""

    MISSING_AT_PROVIDER = "MISSING_AT_PROVIDER"
    MISSING_HERE = "MISSING_HERE"
    DUPLICATE = "DUPLICATE"
    STATE_DIFFERS = "STATE_DIFFERS"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    CAPTURED_DIFFERS = "CAPTURED_DIFFERS"
    REFUNDED_DIFFERS = "REFUNDED_DIFFERS"
    LEDGER_DIFFERS = "LEDGER_DIFFERS"


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: about which payment (empty: ours has none), by the provider's id, and both words."""

    kind: Kind
    reference: str
    order_id: str
    ours: str
    theirs: str


# What the provider must have for a payment that is at rest. Others are being asked about: nothing is said of them.
_HELD_BY: Mapping[State, Held] = {
    State.AUTHORIZED: Held.HELD,
    State.CAPTURE_REFUSED: Held.HELD,
    State.CAPTURED: Held.TAKEN,
    State.REFUNDED: Held.TAKEN,
    State.DECLINED: Held.NOTHING,
    State.VOIDED: Held.NOTHING,
    State.AWAITING_METHOD: Held.NOTHING,
}


def compare(charges: Sequence[Charge], books: Iterable[Book]) -> list[Finding]:
    """What these charges and the books of their payments disagree about. A charge belongs to a payment by either id."""
    known = list(books)
    by_reference = {book.payment.provider_reference: book for book in known if book.payment.provider_reference}
    by_order = {book.payment.order_id: book for book in known}
    found = []
    for charge in charges:
        book = by_reference.get(charge.reference) or by_order.get(charge.order_id)
        own = book.payment.provider_reference if book else ""
        if book and own in ("", charge.reference):
            found += _of_one(charge, book)
        elif charge.state is not Held.NOTHING:
            kind = Kind.DUPLICATE if book else Kind.MISSING_HERE
            found.append(_finding(kind, charge, own, charge.reference if book else charge.state))
    return found


def missing(payments: Iterable[Payment], seen: Iterable[str]) -> list[Finding]:
    """Payments whose charges the provider does not list. One that holds nothing is missed by nobody."""
    listed = set(seen)
    return [
        Finding(Kind.MISSING_AT_PROVIDER, payment.provider_reference, payment.order_id, payment.state, "")
        for payment in payments
        if payment.provider_reference not in listed and _HELD_BY.get(payment.state, Held.NOTHING) is not Held.NOTHING
    ]


def _of_one(charge: Charge, book: Book) -> list[Finding]:
    payment = book.payment
    expected = _HELD_BY.get(payment.state)
    if expected is None:
        return []
    if expected is not charge.state:
        return [_finding(Kind.STATE_DIFFERS, charge, payment.state, charge.state)]
    if expected is Held.NOTHING:
        return []
    words = {
        Kind.CURRENCY_DIFFERS: (payment.amount.currency, charge.currency),
        Kind.CAPTURED_DIFFERS: (str(payment.captured), str(charge.captured)),
        Kind.REFUNDED_DIFFERS: (str(payment.refunded), str(charge.refunded)),
        Kind.LEDGER_DIFFERS: (str(book.kept), str(payment.captured - payment.refunded)),
    }
    return [_finding(kind, charge, ours, theirs) for kind, (ours, theirs) in words.items() if ours != theirs]


def _finding(kind: Kind, charge: Charge, ours: str, theirs: str) -> Finding:
    return Finding(kind, charge.reference, charge.order_id, ours, theirs)
