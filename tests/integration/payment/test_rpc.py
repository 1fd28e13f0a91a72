"""Reading a payment over gRPC: whose it is, and what is said to others."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import errors
from services.payment import messages
from services.payment.domain import State
from souk.payment.v1 import payment_pb2, payment_service_pb2, payment_service_pb2_grpc
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till, cancelled, confirmed, new_id, requested
from tests.support import calls


@dataclass
class Counter:
    """Where somebody with a token asks about payments."""

    shop: calls.Shop
    stub: Any

    async def get(self, some_id: str, user_id: str, *roles: str) -> payment_pb2.Payment:
        request = payment_service_pb2.GetPaymentRequest(id=some_id)
        payment: payment_pb2.Payment = await self.stub.GetPayment(request, metadata=self.shop.as_user(user_id, *roles))
        return payment


@pytest_asyncio.fixture
async def counter(till: Till) -> AsyncIterator[Counter]:
    async with calls.served(tills.servicer(till), "payment") as shop:
        yield Counter(shop, payment_service_pb2_grpc.PaymentServiceStub(shop.channel))


@dataclass
class Bought:
    """An order whose money was taken, and who bought."""

    order: str
    user: str


@pytest_asyncio.fixture
async def bought(till: Till) -> Bought:
    found = Bought(new_id(), new_id())
    await till.say(requested(found.order, user_id=found.user))
    await till.reaches(found.order, State.AUTHORIZED)
    await till.say(confirmed(found.order))
    await till.reaches(found.order, State.CAPTURED)
    return found


async def test_the_owner_finds_a_payment_by_its_order_and_by_its_own_id(counter: Counter, bought: Bought) -> None:
    by_order = await counter.get(bought.order, bought.user)
    assert by_order == await counter.get(by_order.id, bought.user)
    assert payment_pb2.Payment.Status.Name(by_order.status) == "CAPTURED"
    assert (by_order.amount, by_order.captured_amount.units, by_order.refunded_amount.units) == (
        by_order.captured_amount,
        42,
        0,
    )
    assert by_order.provider_reference.startswith("ch_")
    assert by_order.update_time.ToDatetime() > by_order.create_time.ToDatetime()


async def test_an_administrator_finds_anybodys_payment(counter: Counter, bought: Bought) -> None:
    assert (await counter.get(bought.order, new_id(), "ADMIN")).user_id == bought.user


async def test_somebody_elses_payment_does_not_exist(counter: Counter, bought: Bought) -> None:
    for role in ("CUSTOMER", "VENDOR"):
        error = await calls.refused(counter.get(bought.order, new_id(), role))
        assert (error.code, error.reason, error.domain) == (errors.Code.NOT_FOUND, "PAYMENT_NOT_FOUND", "payment")


async def test_a_payment_that_never_was_does_not_exist(till: Till, counter: Counter) -> None:
    order, nobodys = new_id(), new_id()
    await till.say(cancelled(order))
    for some_id in (order, nobodys):
        error = await calls.refused(counter.get(some_id, new_id(), "ADMIN"))
        assert error.reason == "PAYMENT_NOT_FOUND"


async def test_a_refused_capture_is_shown_as_a_hold_with_its_reason(till: Till, counter: Counter) -> None:
    order, user = new_id(), new_id()
    await till.say(requested(order, "card_capture_refused", user_id=user))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURE_REFUSED)
    payment = await counter.get(order, user)
    assert (payment_pb2.Payment.Status.Name(payment.status), payment.failure_reason) == (
        "AUTHORIZED",
        "CAPTURE_REFUSED",
    )


async def test_an_id_that_is_none_is_told_by_field(counter: Counter) -> None:
    error = await calls.refused(counter.get("42", new_id()))
    assert error.code is errors.Code.INVALID_ARGUMENT
    assert [violation.field for violation in error.violations] == ["id"]


async def test_nobody_reads_payments_without_a_token_or_with_a_wrong_one(counter: Counter, bought: Bought) -> None:
    request = payment_service_pb2.GetPaymentRequest(id=bought.order)
    error = await calls.refused(counter.stub.GetPayment(request))
    assert (error.code, error.reason) == (errors.Code.UNAUTHENTICATED, "TOKEN_MISSING")
    ended = counter.shop.token(bought.user, ("CUSTOMER",), lifetime_s=-1)
    for token, reason in ((ended, "TOKEN_EXPIRED"), ("not.a.token", "TOKEN_INVALID")):
        error = await calls.refused(counter.stub.GetPayment(request, metadata=(("authorization", f"Bearer {token}"),)))
        assert (error.code, error.reason) == (errors.Code.UNAUTHENTICATED, reason)


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_status_in_the_contract(state: State) -> None:
    assert payment_pb2.Payment.Status.Value(messages.SHOWN_AS.get(state, state))
