"""Payments that their customers have to confirm with their bank: nothing is held before, and who is asked is told how, alone."""

import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database
from services.payment.domain import State
from souk.payment.v1 import payment_pb2, payment_service_pb2, payment_service_pb2_grpc
from tests.integration.payment import mortal_worker
from tests.integration.payment import till as tills
from tests.integration.payment.test_webhooks import Door
from tests.integration.payment.till import Till, cancelled, confirmed, new_id, requested
from tests.support import calls, mortal, mortal_effects

CARD = "card_requires_action"
ASKED, AUTHORIZED = ["action_required"], ["action_required", "authorized"]
KEPT = database.Statement("SELECT action_url || action_secret FROM payments WHERE order_id = %(order)s")
TOLD = database.Statement("SELECT payload FROM outbox WHERE key = %(order)s")
LATER = database.Statement("""
UPDATE payments SET next_try_at = clock_timestamp() + interval '1 hour' WHERE order_id = %(order)s RETURNING provider_reference
""")


@dataclass
class Bank:
    """Where customers confirm, and what the shop tells whom."""

    till: Till
    shop: calls.Shop

    async def asks(self, card: str = CARD) -> tuple[str, str]:
        """An order whose customer is asked, and the customer."""
        order, user = new_id(), new_id()
        await self.till.say(requested(order, card, user_id=user))
        await self.till.hears(order, "PaymentActionRequired")
        return order, user

    async def payment(self, order: str, user: str, *roles: str) -> payment_pb2.Payment:
        """The payment as somebody reads it."""
        stub: Any = payment_service_pb2_grpc.PaymentServiceStub(self.shop.channel)
        request = payment_service_pb2.GetPaymentRequest(id=order)
        found: payment_pb2.Payment = await stub.GetPayment(request, metadata=self.shop.as_user(user, *roles))
        return found

    async def answers(self, order: str, user: str, answer: str = "confirm") -> None:
        """The customer answers on the bank's page."""
        page = (await self.payment(order, user)).action.redirect_url
        (await self.till.provider.post(page, data={"answer": answer})).raise_for_status()


@pytest_asyncio.fixture
async def bank(till: Till) -> AsyncIterator[Bank]:
    async with calls.served(tills.servicer(till), "payment") as shop:
        yield Bank(till, shop)


async def test_nothing_is_held_before_the_customer_confirms_and_it_is_taken_once(bank: Bank, till: Till) -> None:
    order, user = await bank.asks()
    waiting = await bank.payment(order, user)
    assert payment_pb2.Payment.Status.Name(waiting.status) == "ACTION_REQUIRED"
    assert await till.testimony(order) == ASKED

    await bank.answers(order, user)
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)

    assert await till.told(order) == ["PaymentActionRequired", "PaymentAuthorized", "PaymentCaptured"]
    assert await till.testimony(order) == [*AUTHORIZED, "captured"]


@pytest.mark.parametrize(
    ("card", "answer", "reason"),
    [(CARD, "refuse", "AUTHENTICATION_FAILED"), ("card_action_then_declined", "confirm", "INSUFFICIENT_FUNDS")],
)
async def test_what_is_not_confirmed_or_refused_after_that_is_declined(
    bank: Bank, card: str, answer: str, reason: str
) -> None:
    order, user = await bank.asks(card)

    await bank.answers(order, user, answer)
    await bank.till.hears(order, "PaymentActionRequired", "PaymentDeclined")

    payment = await bank.payment(order, user)
    assert (payment.failure_reason, payment.HasField("action")) == (reason, False)


async def test_a_cancelled_order_asks_its_customer_no_more(bank: Bank, till: Till) -> None:
    order, user = await bank.asks()
    page = (await bank.payment(order, user)).action.redirect_url

    await till.say(cancelled(order))
    await till.hears(order, "PaymentActionRequired", "PaymentVoided")

    assert (await till.provider.post(page, data={"answer": "confirm"})).status_code == 404
    assert await till.testimony(order) == [*ASKED, "voided"]


async def test_how_to_confirm_is_told_to_who_pays_and_to_nobody_else(
    bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    order, user = await bank.asks()
    page = (await bank.payment(order, user)).action.redirect_url
    secret = page.rsplit("/", 1)[1]

    read = await bank.payment(order, new_id(), "ADMIN")

    assert not read.HasField("action")
    assert secret not in caplog.text
    for [payload] in await bank.till.db.read(TOLD, {"order": order}):
        assert secret.encode() not in bytes(payload)
    await bank.answers(order, user)
    await bank.till.reaches(order, State.AUTHORIZED)
    assert await bank.till.db.read(KEPT, {"order": order}) == [("",)]


async def test_a_webhook_makes_it_be_asked_at_once_and_moves_nothing_by_itself(bank: Bank, idle_till: Till) -> None:
    order, user = await bank.asks()
    [[reference]] = await idle_till.db.read(LATER, {"order": order})
    stub = payment_service_pb2_grpc.PaymentServiceStub(bank.shop.channel)
    door = Door(stub, idle_till)
    await door.tell("charge.authorized", {"id": reference, "reference": order})
    await idle_till.db.read(LATER, {"order": order})
    assert await idle_till.state(order) == State.ACTION_REQUIRED

    await bank.answers(order, user)
    await door.tell("charge.authorized", {"id": reference, "reference": order})

    await idle_till.reaches(order, State.AUTHORIZED)


@pytest.mark.parametrize("point", mortal_effects.POINTS)
async def test_a_worker_killed_at_any_line_asks_the_customer_once_and_holds_once(
    idle_till: Till, database_url: str, provider_url: str, point: str
) -> None:
    till, order = idle_till, new_id()
    with mortal.worker(mortal_worker.__name__, database_url, provider_url, die_at=point) as doomed:
        await till.say(requested(order, CARD))
        assert await mortal.death_of(doomed, within_s=tills.PATIENCE_S) == -signal.SIGKILL
    async with tills.working(till.db, tills.settings(provider_url)):
        await till.reaches(order, State.ACTION_REQUIRED)
    [[page]] = await till.db.read(KEPT, {"order": order})
    (await till.provider.post(page, data={"answer": "confirm"})).raise_for_status()
    with mortal.worker(mortal_worker.__name__, database_url, provider_url, die_at=point) as doomed:
        assert await mortal.death_of(doomed, within_s=tills.PATIENCE_S) == -signal.SIGKILL
    async with tills.working(till.db, tills.settings(provider_url)):
        await till.reaches(order, State.AUTHORIZED)
    assert await till.told(order) == ["PaymentActionRequired", "PaymentAuthorized"]
    assert await till.testimony(order) == AUTHORIZED


async def test_a_page_that_nobody_was_sent_to_confirms_nothing(bank: Bank, till: Till) -> None:
    order, user = await bank.asks()
    page = (await bank.payment(order, user)).action.redirect_url

    guessed = await till.provider.post(f"{page}x", data={"answer": "confirm"})
    neither = await till.provider.post(page, data={"answer": "maybe"})

    assert (guessed.status_code, neither.status_code) == (404, 400)
    assert json.dumps("Confirm") not in (await till.provider.get(f"{page}x")).text
    assert await till.testimony(order) == ASKED
