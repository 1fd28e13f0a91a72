"""The payment service's calls: parse, call the use case, render. Next stop: `usecases/`."""

from typing import Any

from services.chassis import idempotency, webhooks
from services.chassis.rpc import identity, render, server
from services.payment import messages, usecases
from services.payment.domain import notices, payouts
from services.payment.usecases import reconciling, reporting
from souk.payment.v1 import payment_pb2, payment_service_pb2, payment_service_pb2_grpc

DESCRIPTOR = payment_service_pb2.DESCRIPTOR.services_by_name["PaymentService"]


class PaymentServicer(payment_service_pb2_grpc.PaymentServiceServicer):
    """`souk.payment.v1.PaymentService`; what each method promises stands in the contract."""

    def __init__(
        self,
        payments: usecases.Payments,
        reconciled: reconciling.Reconciling,
        reports: reporting.Reports,
        hooks: webhooks.Door[notices.Notice],
    ) -> None:
        self._payments = payments
        self._reports = reports
        self._reconciled = reconciled
        self._hooks = hooks

    async def CreatePayment(self, request: payment_service_pb2.CreatePaymentRequest, _: Any) -> payment_pb2.Payment:
        caller = identity.caller().user_id
        choice = usecases.Choice(
            order_id=request.order_id.lower(),
            user_id=caller,
            payment_method=request.payment_method,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
        )
        return messages.of_payment(await self._payments.choose(choice), reader=caller)

    async def RefundPayment(self, request: payment_service_pb2.RefundPaymentRequest, _: Any) -> payment_pb2.Payment:
        caller = identity.caller().user_id
        wish = usecases.Wish(
            payment_id=request.id,
            amount=render.money_sent("amount", request.amount) if request.HasField("amount") else None,
            reason=request.reason,
            actor=caller,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
        )
        return messages.of_payment(await self._payments.refund(wish), reader=caller)

    async def GetPayment(self, request: payment_service_pb2.GetPaymentRequest, _: Any) -> payment_pb2.Payment:
        caller = identity.caller()
        found = await self._payments.get(request.id, owner_id=caller.owner_id)
        return messages.of_payment(found, reader=caller.user_id)

    async def ListFindings(
        self, _request: payment_service_pb2.ListFindingsRequest, _: Any
    ) -> payment_service_pb2.ListFindingsResponse:
        found = await self._reconciled.listed()
        rows = [messages.of_finding(seen.finding, seen.first_time, seen.last_time) for seen in found]
        return payment_service_pb2.ListFindingsResponse(findings=rows)

    async def ReportPayouts(
        self, request: payment_service_pb2.ReportPayoutsRequest, _: Any
    ) -> payment_service_pb2.ReportPayoutsResponse:
        caller = identity.caller()
        page = await self._reports.tokens.page(request, caller.user_id, key=payouts.key)
        found = await self._reports.payouts(messages.wanted_payouts(request), page, owner_id=caller.owner_id)
        token = await self._reports.tokens.token(request, caller.user_id, found.next_after)
        rows = [messages.of_payout(one) for one in found.rows]
        return payment_service_pb2.ReportPayoutsResponse(payouts=rows, next_page_token=token)

    async def ReceiveWebhook(
        self, request: payment_service_pb2.ReceiveWebhookRequest, context: Any
    ) -> payment_service_pb2.ReceiveWebhookResponse:
        came = webhooks.Came(request.provider, context.invocation_metadata(), request.event.data)
        await self._hooks.receive(came)
        return payment_service_pb2.ReceiveWebhookResponse()


def servicer(
    payments: usecases.Payments,
    reconciled: reconciling.Reconciling,
    reports: reporting.Reports,
    hooks: webhooks.Door[notices.Notice],
) -> server.Servicer:
    """The servicer, ready to be served."""
    add = payment_service_pb2_grpc.add_PaymentServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, PaymentServicer(payments, reconciled, reports, hooks))
