"""Returns and messages of the contract: `of_return` renders one, `wish` parses one, the rest are events."""

from collections.abc import Sequence
from dataclasses import replace

from google.type import money_pb2

from services.chassis import idempotency, ids, money
from services.chassis.rpc import render
from services.order import domain, messages
from services.order.domain import refunds, returns
from souk.order.v1 import order_service_pb2, return_events_pb2, return_pb2
from souk.payment.v1 import payment_events_pb2


def wish(request: return_pb2.CreateReturnRequest) -> returns.Wish:
    return returns.Wish(
        order_id=request.order_id.lower(),
        lines=tuple(
            returns.Line(line.sku, line.quantity, returns.Reason(return_pb2.ReturnLine.Reason.Name(line.reason)))
            for line in request.lines
        ),
        note=request.note,
        photos=tuple(request.photos),
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
    )


def exchange(request: order_service_pb2.ExchangeReturnRequest, user_id: str) -> domain.Draft:
    """The order that is wanted instead. What makes it the same wish again is its content."""
    fingerprint = idempotency.fingerprint(request.order)
    return replace(messages.draft(request.order, user_id), fingerprint=fingerprint)


def findings(request: return_pb2.InspectReturnRequest) -> list[returns.Finding]:
    return [returns.Finding(found.sku, found.resell, found.scrap) for found in request.findings]


def of_return(back: returns.Return, history: Sequence[returns.Entry] = ()) -> return_pb2.Return:
    return return_pb2.Return(
        id=back.id,
        order_id=back.order_id,
        user_id=back.user_id,
        status=return_pb2.Return.Status.Value(back.status),
        lines=[_line(back, line) for line in back.lines],
        note=back.note,
        photos=back.photos,
        reject_reason=back.reject_reason,
        warehouse=back.warehouse,
        refund=_refund(back, back.refund) if back.refund else None,
        refunded_amount=_money(back, back.refunded) if back.refunded is not None else None,
        exchange_order_id=back.exchange_order_id,
        create_time=render.timestamp(back.create_time),
        update_time=render.timestamp(back.update_time),
        version=back.version,
        timeline=[_entry(entry) for entry in history],
    )


def of_requested(fact: returns.ReturnRequested) -> return_events_pb2.ReturnRequested:
    back = fact.back
    return return_events_pb2.ReturnRequested(return_id=back.id, order_id=back.order_id, user_id=back.user_id)


def of_approved(fact: returns.ReturnApproved) -> return_events_pb2.ReturnApproved:
    back = fact.back
    lines = [return_events_pb2.ReturnApproved.Line(sku=line.sku, quantity=line.quantity) for line in back.lines]
    return return_events_pb2.ReturnApproved(
        return_id=back.id, order_id=back.order_id, user_id=back.user_id, lines=lines
    )


def of_rejected(fact: returns.ReturnRejected) -> return_events_pb2.ReturnRejected:
    back = fact.back
    return return_events_pb2.ReturnRejected(
        return_id=back.id, order_id=back.order_id, user_id=back.user_id, reason=back.reject_reason
    )


def of_received(fact: returns.ReturnReceived) -> return_events_pb2.ReturnReceived:
    back = fact.back
    return return_events_pb2.ReturnReceived(
        return_id=back.id, order_id=back.order_id, user_id=back.user_id, warehouse=back.warehouse
    )


def of_inspected(fact: returns.ReturnInspected) -> return_events_pb2.ReturnInspected:
    back, line_of, share_of = fact.back, return_events_pb2.ReturnInspected.Line, return_events_pb2.ReturnInspected.Share
    return return_events_pb2.ReturnInspected(
        return_id=back.id,
        order_id=back.order_id,
        user_id=back.user_id,
        lines=[line_of(sku=line.sku, resell=line.resell, scrap=line.scrap) for line in back.lines],
        warehouse=back.warehouse,
        refund_amount=_money(back, back.amount),
        shares=[share_of(vendor_id=vendor, amount=_money(back, amount)) for vendor, amount in fact.shares.items()],
    )


def of_refunded(fact: returns.ReturnRefunded) -> return_events_pb2.ReturnRefunded:
    back = fact.back
    return return_events_pb2.ReturnRefunded(
        return_id=back.id, order_id=back.order_id, user_id=back.user_id, amount=_money(back, back.refunded or 0)
    )


def refund_settled(message: payment_events_pb2.ReturnRefundSettled) -> returns.Settled:
    return returns.Settled(ids.canonical(message.return_id), render.money_value(message.amount).amount)


def _line(back: returns.Return, line: returns.Line) -> return_pb2.ReturnLine:
    return return_pb2.ReturnLine(
        sku=line.sku,
        quantity=line.quantity,
        reason=return_pb2.ReturnLine.Reason.Value(line.reason),
        resell=line.resell,
        scrap=line.scrap,
        refund=_refund(back, line.refund) if back.refund else None,
    )


def _refund(back: returns.Return, refund: refunds.Refund) -> return_pb2.Refund:
    return return_pb2.Refund(
        items=_money(back, refund.items),
        discounts=_money(back, refund.discounts),
        shipping=_money(back, refund.shipping),
        taxes=_money(back, refund.taxes),
        amount=_money(back, refund.amount(taxes_included=back.taxes_included)),
    )


def _entry(entry: returns.Entry) -> return_pb2.Return.Event:
    return return_pb2.Return.Event(
        sequence=entry.sequence,
        status=return_pb2.Return.Status.Value(entry.status),
        event=entry.event,
        reason=entry.reason,
        actor=entry.actor,
        time=render.timestamp(entry.time),
    )


def _money(back: returns.Return, amount: int) -> money_pb2.Money:
    return render.money_message(money.Money(back.currency, amount))
