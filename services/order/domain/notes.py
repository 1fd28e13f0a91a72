"""Notes on orders as values: what a customer or an administrator wrote."""

from dataclasses import dataclass
from datetime import datetime

from services.chassis import errors

# Notes that an order has at the most.
MOST = 100


@dataclass(frozen=True, slots=True)
class Note:
    """A note. after_sequence is the last entry that the order's history had when it was written."""

    id: str
    order_id: str
    author_id: str
    by_staff: bool
    internal: bool
    text: str
    create_time: datetime
    after_sequence: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A note as it is asked for. request_id is empty when the caller will not repeat the call."""

    order_id: str
    author_id: str
    internal: bool
    text: str
    request_id: str
    fingerprint: bytes


def check_author(*, internal: bool, staff: bool) -> None:
    """Raise NOTE_INTERNAL when somebody else than an administrator writes what only administrators see."""
    if internal and not staff:
        said = "only administrators write internal notes"
        raise errors.DomainError(errors.Code.PERMISSION_DENIED, "NOTE_INTERNAL", said)


def check_room(order_id: str, notes: int) -> None:
    """Raise NOTES_FULL when the order has as many notes as an order may."""
    if notes >= MOST:
        said = f"an order has at most {MOST} notes"
        raise errors.precondition("NOTES_FULL", said, order_id=order_id, limit=str(MOST))
