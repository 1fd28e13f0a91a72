"""The money of an order, from its request to its end, at a real provider and on a real database."""

import pytest

from services.chassis import database
from services.payment.domain import State
from tests.integration.payment.till import PATIENCE_S, PRICE, Till, cancelled, confirmed, new_id, requested
from tests.support.polling import eventually

DEBT, REVENUE = "provider_receivable", "order_revenue"


async def test_an_approved_card_is_authorised_and_then_captured(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.hears(order, "PaymentAuthorized")
    await till.say(confirmed(order))
    await till.hears(order, "PaymentAuthorized", "PaymentCaptured")
    assert await till.testimony(order) == ["authorized", "captured"]
    assert await till.ledger(order) == [(REVENUE, "USD", -PRICE.amount), (DEBT, "USD", PRICE.amount)]


async def test_what_is_told_names_the_payment_the_user_and_the_amount(till: Till) -> None:
    order, user = new_id(), new_id()
    await till.say(requested(order, user_id=user))
    await till.hears(order, "PaymentAuthorized")
    [message] = await till.messages(order)
    assert (message.order_id, message.user_id, message.amount.units) == (order, user, 42)
    assert message.payment_id == (await till.payments.get(order, owner_id=user)).id


async def test_a_declined_card_is_told_with_its_reason(till: Till) -> None:
    order = new_id()
    await till.say(requested(order, "card_insufficient_funds"))
    await till.hears(order, "PaymentDeclined")
    [message] = await till.messages(order)
    assert message.reason == "INSUFFICIENT_FUNDS"


async def test_a_repeated_request_charges_once(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(requested(order))
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
    assert await till.testimony(order) == ["authorized", "captured"]


async def test_an_order_that_asks_again_hears_again_that_the_money_was_taken(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
    await till.say(confirmed(order))
    assert await till.told(order) == ["PaymentAuthorized", "PaymentCaptured", "PaymentCaptured"]
    assert len(await till.ledger(order)) == 2


async def test_a_cancelled_order_gets_its_held_money_back(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(cancelled(order))
    await till.hears(order, "PaymentAuthorized", "PaymentVoided")
    assert await till.testimony(order) == ["authorized", "voided"]
    assert await till.ledger(order) == []


async def test_a_cancelled_order_gets_its_taken_money_back(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
    await till.say(cancelled(order))
    await till.hears(order, "PaymentAuthorized", "PaymentCaptured", "PaymentRefunded")
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]
    assert sum(amount for account, _, amount in await till.ledger(order) if account == DEBT) == 0


async def test_a_repeated_cancellation_is_answered_again(till: Till) -> None:
    voided, declined, refunded = new_id(), new_id(), new_id()
    await till.say(requested(voided), requested(declined, "card_declined"), requested(refunded))
    await till.reaches(declined, State.DECLINED)
    await till.reaches(refunded, State.AUTHORIZED)
    await till.say(confirmed(refunded))
    await till.reaches(refunded, State.CAPTURED)
    for _ in range(2):
        await till.say(cancelled(voided), cancelled(declined), cancelled(refunded))
        await till.reaches(voided, State.VOIDED)
        await till.reaches(refunded, State.REFUNDED)
    assert (await till.told(voided))[-2:] == ["PaymentVoided", "PaymentVoided"]
    assert await till.told(declined) == ["PaymentDeclined", "PaymentVoided", "PaymentVoided"]
    assert (await till.told(refunded))[-2:] == ["PaymentRefunded", "PaymentRefunded"]


async def test_an_order_cancelled_before_it_asked_for_money_never_pays(till: Till) -> None:
    order = new_id()
    await till.say(cancelled(order))
    await till.say(requested(order))
    await till.say(cancelled(order))
    messages = await till.messages(order)
    assert [(type(message).__name__, message.payment_id) for message in messages] == [("PaymentVoided", "")] * 2
    assert await till.testimony(order) == []


async def test_an_order_cancelled_while_the_provider_is_asked_is_voided_without_being_authorised(till: Till) -> None:
    await till.control(mode="hang", hang_seconds=1)
    order = new_id()
    await till.say(requested(order))
    await _is_asked(till, order)
    await till.say(cancelled(order))
    await till.control(mode="normal")
    await till.hears(order, "PaymentVoided")
    assert await till.testimony(order) == ["authorized", "voided"]


async def test_an_order_cancelled_while_its_money_is_taken_is_refunded(till: Till) -> None:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.control(mode="hang", hang_seconds=1)
    await till.say(confirmed(order))
    await _is_asked(till, order)
    await till.say(cancelled(order))
    await till.control(mode="normal")
    await till.hears(order, "PaymentAuthorized", "PaymentCaptured", "PaymentRefunded")
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]


async def test_a_refused_capture_is_told_and_the_hold_is_voided_when_the_order_is_cancelled(till: Till) -> None:
    order = new_id()
    await till.say(requested(order, "card_capture_refused"))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.hears(order, "PaymentAuthorized", "PaymentCaptureRefused")
    await till.say(cancelled(order))
    await till.reaches(order, State.VOIDED)
    assert await till.testimony(order) == ["authorized", "refused", "voided"]
    assert await till.ledger(order) == []


async def test_a_hundred_orders_are_handled_in_the_statements_of_one(
    idle_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[database.Statement] = []
    run = database.Transaction.run

    async def counted(
        transaction: database.Transaction, statement: database.Statement, parameters: database.Parameters | None = None
    ) -> list[database.Row]:
        ran.append(statement)
        return await run(transaction, statement, parameters)

    monkeypatch.setattr(database.Transaction, "run", counted)
    statements = []
    for count in (1, 100):
        kept, given_up = [new_id() for _ in range(count)], [new_id() for _ in range(count)]
        ran.clear()
        await idle_till.say(*(requested(order) for order in kept + given_up))
        await idle_till.say(*(confirmed(order) for order in kept), *(cancelled(order) for order in given_up))
        statements.append(list(ran))
    assert statements[0] == statements[1]


async def test_a_hundred_orders_come_to_their_ends(till: Till) -> None:
    orders = [new_id() for _ in range(100)]
    await till.say(*(requested(order) for order in orders))
    for order in orders:
        await till.reaches(order, State.AUTHORIZED)
    await till.say(*(confirmed(order) for order in orders[:50]), *(cancelled(order) for order in orders[50:]))
    for order in orders[:50]:
        await till.reaches(order, State.CAPTURED)
    for order in orders[50:]:
        await till.reaches(order, State.VOIDED)


async def _is_asked(till: Till, order: str) -> None:
    async def asked() -> bool:
        return await till.attempts(order) > 0

    await eventually(asked, within_s=PATIENCE_S)
