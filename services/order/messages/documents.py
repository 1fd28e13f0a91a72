"""Invoices and credit notes as messages, and what payments say of them."""

from google.protobuf import json_format

from services.chassis import money
from services.chassis.rpc import render
from services.order import messages, saga
from services.order.domain import documents, rates
from services.order.domain.documents import Kind
from souk.order.v1 import document_pb2
from souk.payment.v1 import payment_events_pb2

Format = document_pb2.OrderDocument
_SHARE = document_pb2.OrderDocument.Share


def of_document(issued: documents.Issued) -> document_pb2.OrderDocument:
    document, order = issued.document, issued.order
    return document_pb2.OrderDocument(
        number=document.name,
        kind=document_pb2.OrderDocument.Kind.Value(document.kind),
        order_id=document.order_id,
        issue_time=render.timestamp(document.issue_time),
        seller=document_pb2.OrderDocument.Seller(
            name=document.seller.name, address=document.seller.address, tax_id=document.seller.tax_id
        ),
        buyer=messages.of_address(order.address),
        lines=[messages.of_line(line, taxes_included=order.taxes_included) for line in issued.lines],
        taxes=[_share(share, document.amount.currency) for share in issued.shares],
        total=render.money_message(document.amount),
        invoice_number=issued.invoice,
    )


def _share(share: documents.Share, currency: str) -> document_pb2.OrderDocument.Share:
    def amount(of: int) -> money.Money:
        return money.Money(currency, of)

    return _SHARE(
        tax_rate=rates.per_cent(share.rate),
        net=render.money_message(amount(share.gross - share.tax)),
        tax=render.money_message(amount(share.tax)),
        gross=render.money_message(amount(share.gross)),
    )


def as_json(issued: documents.Issued) -> bytes:
    """The document as the edge writes messages."""
    told = json_format.MessageToJson(
        of_document(issued), preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
    )
    return told.encode()


def payment_captured(message: payment_events_pb2.PaymentCaptured) -> tuple[documents.Due, saga.Event]:
    event = saga.Event(message.order_id, saga.Reply.PAYMENT_CAPTURED, saga.PAYMENT)
    return documents.Due(message.order_id, Kind.INVOICE), event


def payment_refunded(message: payment_events_pb2.PaymentRefunded) -> tuple[documents.Due | None, saga.Event]:
    event = saga.Event(message.order_id, saga.Reply.PAYMENT_REFUNDED, saga.PAYMENT)
    return _credit(message.order_id, render.money_value(message.amount).amount), event


def payment_partly_refunded(message: payment_events_pb2.PaymentPartlyRefunded) -> documents.Due | None:
    return _credit(message.order_id, render.money_value(message.refunded_amount).amount)


def _credit(order_id: str, refunded: int) -> documents.Due | None:
    return documents.Due(order_id, Kind.CREDIT_NOTE, refunded) if refunded else None
