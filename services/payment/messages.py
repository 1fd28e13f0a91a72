"""Payments and messages of the contract: `of_payment` renders one, `request` parses what an order asks for."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import database, ids, money
from services.chassis.rpc import render
from services.payment import domain
from services.payment.domain import payouts, reconciling, returns, shares
from souk.order.v1 import order_events_pb2, return_events_pb2
from souk.payment.v1 import payment_events_pb2, payment_pb2, payment_service_pb2

# States of ours that the contract shows as the state they grew from.
SHOWN_AS: Mapping[domain.State, domain.State] = {
    domain.State.AUTHORIZING_CANCELLED: domain.State.AUTHORIZING,
    domain.State.AUTHORIZING_CONFIRMED: domain.State.AUTHORIZING,
    domain.State.CAPTURING_CANCELLED: domain.State.CAPTURING,
    domain.State.CAPTURE_REFUSED: domain.State.AUTHORIZED,
    domain.State.REFUNDING_PART: domain.State.REFUNDING,
    domain.State.REFUNDING_PART_CANCELLED: domain.State.REFUNDING,
    domain.State.REFUNDING_REST: domain.State.REFUNDING,
}


def of_payment(payment: domain.Payment, *, reader: str) -> payment_pb2.Payment:
    """The payment as this user may read it: how to confirm it is shown to who pays."""
    currency, action = payment.amount.currency, payment.action
    confirms = action != domain.NO_ACTION and reader == payment.user_id
    return payment_pb2.Payment(
        id=payment.id,
        order_id=payment.order_id,
        user_id=payment.user_id,
        status=payment_pb2.Payment.Status.Value(SHOWN_AS.get(payment.state, payment.state)),
        amount=render.money_message(payment.amount),
        captured_amount=render.money_message(money.Money(currency, payment.captured)),
        refunded_amount=render.money_message(money.Money(currency, payment.refunded)),
        provider_reference=payment.provider_reference,
        failure_reason=payment.failure_reason,
        create_time=render.timestamp(payment.create_time),
        update_time=render.timestamp(payment.update_time),
        action=payment_pb2.Payment.Action(redirect_url=action.url, client_secret=action.secret) if confirms else None,
    )


def of_payment_voided(fact: domain.PaymentVoided) -> payment_events_pb2.PaymentVoided:
    payment = fact.payment
    if not payment.existed:
        return payment_events_pb2.PaymentVoided(order_id=payment.order_id)
    return payment_events_pb2.PaymentVoided(order_id=payment.order_id, payment_id=payment.id, user_id=payment.user_id)


def of_payment_refunded(fact: domain.PaymentRefunded) -> payment_events_pb2.PaymentRefunded:
    payment = fact.payment
    step = money.Money(payment.amount.currency, fact.step)
    return payment_events_pb2.PaymentRefunded(
        order_id=payment.order_id,
        payment_id=payment.id,
        user_id=payment.user_id,
        amount=render.money_message(payment.amount),
        step_amount=render.money_message(step) if fact.step else None,
    )


def of_payment_partly_refunded(fact: domain.PaymentPartlyRefunded) -> payment_events_pb2.PaymentPartlyRefunded:
    payment, currency = fact.payment, fact.payment.amount.currency
    return payment_events_pb2.PaymentPartlyRefunded(
        order_id=payment.order_id,
        payment_id=payment.id,
        user_id=payment.user_id,
        amount=render.money_message(money.Money(currency, fact.step)),
        refunded_amount=render.money_message(money.Money(currency, payment.refunded)),
    )


def of_finding(finding: reconciling.Finding, first_time: datetime, last_time: datetime) -> payment_service_pb2.Finding:
    return payment_service_pb2.Finding(
        kind=payment_service_pb2.Finding.Kind.Value(finding.kind),
        provider_reference=finding.reference,
        order_id=finding.order_id,
        ours=finding.ours,
        theirs=finding.theirs,
        first_time=render.timestamp(first_time),
        last_time=render.timestamp(last_time),
    )


def wanted_payouts(request: payment_service_pb2.ReportPayoutsRequest) -> payouts.Wanted:
    """Raises TIME_INVALID."""
    start, end = (_moment(name, getattr(request, name)) for name in ("from", "to"))
    return payouts.wanted(start, end, request.currency, request.vendor_id.lower())


def _moment(field: str, sent: Timestamp) -> datetime:
    try:
        return render.moment(sent)
    except (ValueError, OverflowError) as error:
        raise payouts.time_invalid(field, "must be a moment") from error


def of_payout(payout: payouts.Payout) -> payment_service_pb2.Payout:
    return payment_service_pb2.Payout(**database.document(payout), payable=payout.payable)


def of_return_refund_settled(fact: returns.ReturnRefundSettled) -> payment_events_pb2.ReturnRefundSettled:
    payment = fact.payment
    return payment_events_pb2.ReturnRefundSettled(
        order_id=payment.order_id,
        payment_id=payment.id,
        user_id=payment.user_id,
        return_id=fact.return_id,
        amount=render.money_message(money.Money(payment.amount.currency, fact.amount)),
    )


def return_inspected(message: return_events_pb2.ReturnInspected) -> returns.Wanted | None:
    """What is due for a return; None when that is nothing."""
    amount = render.money_value(message.refund_amount)
    if not amount.amount:
        return None
    whose = shares.of(amount.amount, _vendors(message.shares))
    return returns.Wanted(ids.canonical(message.return_id), ids.canonical(message.order_id), amount, whose)


def request(message: order_events_pb2.PaymentRequested) -> domain.Request:
    amount = render.money_value(message.amount)
    if amount.amount <= 0:
        raise ValueError("a payment needs an amount")
    return domain.Request(
        order_id=ids.canonical(message.order_id),
        user_id=ids.canonical(message.user_id),
        amount=amount,
        payment_method=message.payment_method,
        # Orders of before this field do not say.
        request_time=render.moment(message.request_time) if message.HasField("request_time") else None,
        shares=shares.of(amount.amount, _vendors(message.shares)),
    )


def _vendors(
    told: Iterable[order_events_pb2.PaymentRequested.Share | return_events_pb2.ReturnInspected.Share],
) -> dict[str, int]:
    return {ids.canonical(share.vendor_id): render.money_value(share.amount).amount for share in told}


def confirmation(message: order_events_pb2.OrderConfirmed) -> domain.Confirmation | None:
    if _free(message):
        return None
    return domain.Confirmation(ids.canonical(message.order_id))


def cancellation(message: order_events_pb2.OrderCancelled) -> domain.Cancellation | None:
    if _free(message):
        return None
    return domain.Cancellation(ids.canonical(message.order_id), ids.canonical(message.user_id))


def _free(message: order_events_pb2.OrderConfirmed | order_events_pb2.OrderCancelled) -> bool:
    """Whether the order costs nothing, and so has no payment. Events of before the field do not say, and have one."""
    return message.HasField("total") and not render.money_value(message.total).amount
