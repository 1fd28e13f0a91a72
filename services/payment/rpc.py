"""The payment service's calls: parse, call the use case, render. Next stop: `usecases.py`."""

from collections.abc import Mapping
from typing import Any

from services.chassis import idempotency, money
from services.chassis.rpc import identity, render, server
from services.payment import domain, usecases
from souk.payment.v1 import payment_pb2, payment_service_pb2, payment_service_pb2_grpc

DESCRIPTOR = payment_service_pb2.DESCRIPTOR.services_by_name["PaymentService"]

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


class PaymentServicer(payment_service_pb2_grpc.PaymentServiceServicer):
    """`souk.payment.v1.PaymentService`; what each method promises stands in the contract."""

    def __init__(self, payments: usecases.Payments) -> None:
        self._payments = payments

    async def CreatePayment(self, request: payment_service_pb2.CreatePaymentRequest, _: Any) -> payment_pb2.Payment:
        choice = usecases.Choice(
            order_id=request.order_id.lower(),
            user_id=identity.caller().user_id,
            payment_method=request.payment_method,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
        )
        return _message(await self._payments.choose(choice))

    async def RefundPayment(self, request: payment_service_pb2.RefundPaymentRequest, _: Any) -> payment_pb2.Payment:
        wish = usecases.Wish(
            payment_id=request.id,
            amount=render.money_sent("amount", request.amount) if request.HasField("amount") else None,
            reason=request.reason,
            actor=identity.caller().user_id,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
        )
        return _message(await self._payments.refund(wish))

    async def GetPayment(self, request: payment_service_pb2.GetPaymentRequest, _: Any) -> payment_pb2.Payment:
        return _message(await self._payments.get(request.id, owner_id=identity.caller().owner_id))


def servicer(payments: usecases.Payments) -> server.Servicer:
    """The servicer, ready to be served."""
    add = payment_service_pb2_grpc.add_PaymentServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, PaymentServicer(payments))


def _message(payment: domain.Payment) -> payment_pb2.Payment:
    currency = payment.amount.currency
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
    )
