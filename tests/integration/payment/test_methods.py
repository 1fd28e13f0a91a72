"""Orders without a payment method: they wait for one, and nobody is charged before it is chosen."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from services.chassis import errors
from services.payment.domain import State
from souk.payment.v1 import payment_pb2, payment_service_pb2, payment_service_pb2_grpc
from tests.integration.payment import mortal_office
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till, cancelled, new_id, requested
from tests.support import calls, mortal


@dataclass
class Checkout:
    """Where a customer chooses how to pay."""

    shop: calls.Shop
    stub: Any

    async def pay(
        self, order: str, user: str, card: str = "card_approved", *, request_id: str = ""
    ) -> payment_pb2.Payment:
        request = payment_service_pb2.CreatePaymentRequest(order_id=order, payment_method=card, request_id=request_id)
        payment: payment_pb2.Payment = await self.stub.CreatePayment(request, metadata=self.shop.as_user(user))
        return payment


@pytest_asyncio.fixture
async def checkout(till: Till) -> AsyncIterator[Checkout]:
    async with calls.served(tills.servicer(till), "payment") as shop:
        yield Checkout(shop, payment_service_pb2_grpc.PaymentServiceStub(shop.channel))


async def test_an_order_waits_for_its_payment_method_and_is_then_charged(checkout: Checkout, till: Till) -> None:
    order, user = new_id(), new_id()
    await till.say(requested(order, "", user_id=user))
    assert await till.state(order) == State.AWAITING_METHOD
    chosen = await checkout.pay(order, user)
    assert payment_pb2.Payment.Status.Name(chosen.status) == "AUTHORIZING"
    await till.hears(order, "PaymentAuthorized")
    assert await till.testimony(order) == ["authorized"]


async def test_a_repeated_choice_changes_nothing_and_a_second_one_is_refused(checkout: Checkout, till: Till) -> None:
    order, user, request_id = new_id(), new_id(), uuid.uuid4().hex
    await till.say(requested(order, "", user_id=user))
    first = await checkout.pay(order, user, request_id=request_id)
    await till.reaches(order, State.AUTHORIZED)
    again = await checkout.pay(order, user, request_id=request_id)
    assert (again.id, payment_pb2.Payment.Status.Name(again.status)) == (first.id, "AUTHORIZED")
    error = await calls.refused(checkout.pay(order, user, "card_declined"))
    assert (error.code, error.reason) == (errors.Code.FAILED_PRECONDITION, "PAYMENT_METHOD_NOT_AWAITED")
    assert (await calls.refused(checkout.pay(order, user, "card_slow", request_id=request_id))).reason == (
        "REQUEST_ID_REUSED"
    )


async def test_nobody_pays_somebody_elses_order_or_one_that_does_not_want_money(checkout: Checkout, till: Till) -> None:
    order = new_id()
    await till.say(requested(order, "", user_id=new_id()))
    for wanted in (order, new_id()):
        error = await calls.refused(checkout.pay(wanted, new_id()))
        assert (error.code, error.reason) == (errors.Code.NOT_FOUND, "PAYMENT_NOT_FOUND")
    assert await till.state(order) == State.AWAITING_METHOD


async def test_a_cancelled_order_is_not_paid_any_more(checkout: Checkout, till: Till) -> None:
    order, user = new_id(), new_id()
    await till.say(requested(order, "", user_id=user))
    await till.say(cancelled(order))
    assert await till.told(order) == ["PaymentVoided"]
    assert (await calls.refused(checkout.pay(order, user))).reason == "PAYMENT_METHOD_NOT_AWAITED"
    assert await till.testimony(order) == []


async def test_a_card_number_is_not_a_payment_method(checkout: Checkout) -> None:
    error = await calls.refused(checkout.pay(new_id(), new_id(), "4242424242424242"))
    assert {violation.field for violation in error.violations} == {"payment_method"}


async def test_a_choice_that_died_before_its_commit_or_behind_it_charges_once(
    idle_till: Till, database_url: str, provider_url: str
) -> None:
    till = idle_till
    for point in (mortal.WRITTEN, mortal.COMMITTED):
        order, user, request_id = new_id(), new_id(), uuid.uuid4().hex
        await till.say(requested(order, "", user_id=user))
        mortal_office.dies(database_url, order, request_id, at=point, user=user)
        assert (await till.state(order)) == (State.AWAITING_METHOD if point == mortal.WRITTEN else State.AUTHORIZING)
        await till.payments.choose(mortal_office.choice(order, user, request_id))
        async with tills.working(till.db, tills.settings(provider_url)):
            await till.hears(order, "PaymentAuthorized")
        assert await till.testimony(order) == ["authorized"]
