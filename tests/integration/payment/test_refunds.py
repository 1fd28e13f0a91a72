"""Giving money back on request: by whom, how much, once, whatever the provider and the order do meanwhile."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from services.chassis import database, errors
from services.chassis.money import Money
from services.chassis.rpc import render
from services.payment.domain import State
from souk.payment.v1 import payment_events_pb2, payment_pb2, payment_service_pb2, payment_service_pb2_grpc
from tests.integration.payment import mortal_office
from tests.integration.payment import till as tills
from tests.integration.payment.till import PRICE, Till, cancelled, confirmed, new_id, requested
from tests.support import calls, mortal

REFUNDS = database.Statement("SELECT amount, reason, actor FROM refunds ORDER BY create_time DESC LIMIT 1")
PURGE = database.Statement("DELETE FROM idempotent_requests")
REFUNDING_TOO_MUCH = database.Statement("UPDATE payments SET refunding = captured + 1 WHERE captured > 0")


@dataclass
class Office:
    """Where administrators give money back."""

    shop: calls.Shop
    stub: Any
    till: Till

    async def refund(
        self, order: str, amount: int | None = None, *, request_id: str = "", roles: tuple[str, ...] = ("ADMIN",)
    ) -> payment_pb2.Payment:
        """Ask for so many minor units back, or for all that is left."""
        request = payment_service_pb2.RefundPaymentRequest(id=order, reason="damaged", request_id=request_id)
        if amount is not None:
            request.amount.CopyFrom(render.money_message(Money(PRICE.currency, amount)))
        metadata = self.shop.as_user(mortal_office.ADMIN, *roles)
        payment: payment_pb2.Payment = await self.stub.RefundPayment(request, metadata=metadata)
        return payment

    async def captured(self) -> str:
        """An order whose money was taken."""
        order = new_id()
        await self.till.say(requested(order))
        await self.till.reaches(order, State.AUTHORIZED)
        await self.till.say(confirmed(order))
        await self.till.reaches(order, State.CAPTURED)
        return order

    async def given_back(self, order: str, refunds: int) -> None:
        """Wait until the provider gave money back so many times."""
        await self.till.hears(
            order, "PaymentAuthorized", "PaymentCaptured", *["PaymentPartlyRefunded"] * (refunds - 1), "PaymentRefunded"
        )


@pytest_asyncio.fixture
async def office(till: Till) -> AsyncIterator[Office]:
    async with calls.served(tills.servicer(till), "payment") as shop:
        yield Office(shop, payment_service_pb2_grpc.PaymentServiceStub(shop.channel), till)


async def test_a_part_and_then_the_rest_are_given_back(office: Office, till: Till) -> None:
    order = await office.captured()
    begun = await office.refund(order, 1200)
    assert (payment_pb2.Payment.Status.Name(begun.status), begun.refunded_amount.units) == ("REFUNDING", 0)
    await till.reaches(order, State.CAPTURED)
    assert await till.db.read(REFUNDS) == [(1200, "damaged", mortal_office.ADMIN)]
    await office.refund(order)
    await office.given_back(order, 2)
    _, _, part, rest = await till.messages(order)
    assert isinstance(part, payment_events_pb2.PaymentPartlyRefunded)
    assert (part.amount.units, part.refunded_amount.units) == (12, 12)
    assert isinstance(rest, payment_events_pb2.PaymentRefunded)
    assert render.money_value(rest.step_amount) == Money("USD", PRICE.amount - 1200)
    assert render.money_value(rest.amount) == PRICE
    assert await till.testimony(order) == ["authorized", "captured", "refunded", "refunded"]
    receivable = [amount for account, _, amount in await till.ledger(order) if account == "provider_receivable"]
    assert receivable == [4200, -1200, -3000]


async def test_a_repeated_request_gives_back_once(office: Office, till: Till) -> None:
    order, request_id = await office.captured(), uuid.uuid4().hex
    for _ in range(2):
        await office.refund(order, 1200, request_id=request_id)
        await till.reaches(order, State.CAPTURED)
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]
    error = await calls.refused(office.refund(order, 1300, request_id=request_id))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_a_request_that_is_repeated_when_its_claim_was_purged_gives_back_once(office: Office, till: Till) -> None:
    order, request_id = await office.captured(), uuid.uuid4().hex
    for _ in range(2):
        await office.refund(order, 1200, request_id=request_id)
        await till.reaches(order, State.CAPTURED)
        await till.db.read(PURGE)
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]


async def test_two_refunds_at_the_same_moment_give_back_no_more_than_was_taken(office: Office, till: Till) -> None:
    order = await office.captured()
    answers = await asyncio.gather(*(office.refund(order, 3000) for _ in range(4)), return_exceptions=True)
    assert len([answer for answer in answers if not isinstance(answer, BaseException)]) == 1
    await till.reaches(order, State.CAPTURED)
    error = await calls.refused(office.refund(order, 1201))
    assert (error.code, error.reason, error.metadata["left"]) == (
        errors.Code.FAILED_PRECONDITION,
        "REFUND_AMOUNT_WRONG",
        "1200",
    )
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]


async def test_the_database_refuses_a_refund_above_what_was_taken(office: Office, till: Till) -> None:
    await office.captured()
    with pytest.raises(psycopg.errors.CheckViolation, match="refund_within_capture"):
        await till.db.read(REFUNDING_TOO_MUCH)


async def test_money_that_was_not_taken_is_not_given_back(office: Office, till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    assert (await calls.refused(office.refund(order))).reason == "REFUND_NOT_POSSIBLE"
    assert (await calls.refused(office.refund(new_id()))).reason == "PAYMENT_NOT_FOUND"


async def test_only_administrators_give_money_back(office: Office) -> None:
    order = await office.captured()
    for role in ("CUSTOMER", "VENDOR"):
        error = await calls.refused(office.refund(order, roles=(role,)))
        assert (error.code, error.reason) == (errors.Code.PERMISSION_DENIED, "ACCESS_DENIED")


async def test_an_order_cancelled_while_a_part_is_given_back_gets_the_rest_back_too(office: Office, till: Till) -> None:
    order = await office.captured()
    await till.control(latency_ms=200)
    await office.refund(order, 1200)
    await till.say(cancelled(order))
    await till.control(latency_ms=0)
    await office.given_back(order, 2)
    assert await till.state(order) == State.REFUNDED
    receivable = [amount for account, _, amount in await till.ledger(order) if account == "provider_receivable"]
    assert receivable == [4200, -1200, -3000]


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_refund_that_died_at_its_commit_is_begun_once_by_the_repeated_request(
    idle_till: Till, database_url: str, provider_url: str, point: str
) -> None:
    till, order, request_id = idle_till, new_id(), uuid.uuid4().hex
    async with tills.working(till.db, tills.settings(provider_url)):
        await till.say(requested(order))
        await till.reaches(order, State.AUTHORIZED)
        await till.say(confirmed(order))
        await till.reaches(order, State.CAPTURED)
    mortal_office.dies(database_url, order, request_id, at=point)
    await till.payments.refund(mortal_office.wish(order, request_id))
    async with tills.working(till.db, tills.settings(provider_url)):
        await till.hears(order, "PaymentAuthorized", "PaymentCaptured", "PaymentPartlyRefunded")
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]
