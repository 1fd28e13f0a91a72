"""What is asked about orders across customers, what is told of them, and notes."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import errors, idempotency
from services.chassis.rpc import render
from services.order import messages
from services.order.domain import Status, notes, searching
from souk.order.v1 import note_pb2, order_pb2, order_search_pb2

# Where the time begins that ids tell.
FIRST_YEAR = 1970


def filters(request: order_search_pb2.SearchOrdersRequest) -> searching.Filters:
    """Raises TIME_INVALID."""
    return searching.Filters(
        span=span(request),
        status=Status(order_pb2.Order.Status.Name(request.status)) if request.status else None,
        user_id=request.user_id.lower(),
        sku=request.sku,
        stuck=request.stuck,
    )


def span(
    request: order_search_pb2.SearchOrdersRequest | order_search_pb2.ListVendorOrdersRequest,
) -> searching.Span:
    """Raises TIME_INVALID."""
    found = {name: getattr(request, name) for name in ("from", "to") if request.HasField(name)}
    moments = {name: _moment(name, sent) for name, sent in found.items()}
    return searching.Span(moments.get("from"), moments.get("to"))


def _moment(field: str, sent: Timestamp) -> datetime:
    try:
        moment = render.moment(sent)
    except (ValueError, OverflowError) as error:
        raise _no_moment(field) from error
    if moment.year < FIRST_YEAR:
        raise _no_moment(field)
    return moment


def _no_moment(field: str) -> errors.DomainError:
    violation = errors.Violation(field, f"must be a moment from {FIRST_YEAR} to 9999", "TIME_INVALID")
    return errors.invalid("TIME_INVALID", violation.description, violation)


def of_vendor_order(seen: searching.VendorOrder) -> order_search_pb2.VendorOrder:
    return order_search_pb2.VendorOrder(
        order_id=seen.order_id,
        status=order_pb2.Order.Status.Value(seen.status),
        lines=[messages.of_line(line, taxes_included=seen.totals.taxes_included) for line in seen.lines],
        totals=messages.of_totals(seen.totals),
        shipping_address=messages.of_address(seen.address) if seen.address else None,
        create_time=render.timestamp(seen.create_time),
        update_time=render.timestamp(seen.update_time),
    )


def note_draft(request: note_pb2.AddOrderNoteRequest, author_id: str) -> notes.Draft:
    return notes.Draft(
        order_id=request.order_id.lower(),
        author_id=author_id,
        internal=request.internal,
        text=request.text,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
    )


def of_note(note: notes.Note) -> note_pb2.OrderNote:
    return note_pb2.OrderNote(
        id=note.id,
        order_id=note.order_id,
        author_id=note.author_id,
        by_staff=note.by_staff,
        internal=note.internal,
        text=note.text,
        create_time=render.timestamp(note.create_time),
        after_sequence=note.after_sequence,
    )
