"""The money of returns: each is given back once, one after another, never more than is left, whoever else gives back."""

from services.chassis import clock, database
from services.chassis.money import Money
from services.chassis.rpc import render
from services.payment import domain, store, usecases
from services.payment.domain import State, moves
from services.payment.store import returns as rows
from services.payment.usecases import returning
from souk.order.v1 import return_events_pb2
from tests.integration.payment.till import PRICE, Till, confirmed, new_id, requested
from tests.support.polling import eventually

SETTLED = database.Statement("SELECT state, given FROM return_refunds WHERE id = %(id)s")
DUE = database.Statement("UPDATE return_refunds SET next_try_at = clock_timestamp() WHERE state = 'WAITING'")


def inspected(order: str, amount: int, return_id: str = "") -> return_events_pb2.ReturnInspected:
    due = render.money_message(Money(PRICE.currency, amount))
    return return_events_pb2.ReturnInspected(
        order_id=order, return_id=return_id or new_id(), user_id=new_id(), refund_amount=due
    )


async def captured(till: Till) -> str:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
    return order


async def begin(till: Till) -> None:
    """Begin what waits, now and not later."""
    await till.db.read(DUE)
    await till.returned.begin()


async def given(till: Till, return_id: str) -> int:
    """Begin what waits until this return is settled: what was given back for it."""

    async def settled() -> bool:
        await begin(till)
        return bool((await till.db.read(SETTLED, {"id": return_id}))[0][0] == "SETTLED")

    await eventually(settled, within_s=30)
    return int((await till.db.read(SETTLED, {"id": return_id}))[0][1])


async def test_the_refund_of_a_return_is_heard_twice_and_given_back_once(till: Till) -> None:
    order = await captured(till)
    back = inspected(order, 1000)
    await till.say(back)
    await till.say(back)

    assert await given(till, back.return_id) == 1000

    told = ["PaymentAuthorized", "PaymentCaptured", "PaymentPartlyRefunded", "ReturnRefundSettled"]
    assert await till.told(order) == told
    answer = (await till.messages(order))[-1]
    assert (answer.return_id, render.money_value(answer.amount).amount) == (back.return_id, 1000)
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]


async def test_returns_of_one_order_are_given_back_one_after_another_and_no_more_than_was_paid(till: Till) -> None:
    order = await captured(till)
    backs = [inspected(order, amount) for amount in (PRICE.amount - 1000, 1000, 700)]
    for back in backs:
        await till.say(back)

    assert sum([await given(till, back.return_id) for back in backs]) == PRICE.amount

    assert await till.state(order) == State.REFUNDED
    assert (await till.told(order)).count("ReturnRefundSettled") == 3


async def test_a_return_waits_for_a_refund_of_an_administrator_and_gets_what_that_leaves(till: Till) -> None:
    order = await captured(till)
    payment = await till.payments.get(order, owner_id=None)
    await till.payments.refund(usecases.Wish(payment.id, Money(PRICE.currency, 4000), "damaged", "user:admin"))
    back = inspected(order, 1000)
    await till.say(back)

    assert await given(till, back.return_id) == PRICE.amount - 4000


async def test_a_return_whose_refund_the_provider_refuses_waits_and_is_asked_for_again(till: Till) -> None:
    order = await captured(till)
    back = inspected(order, 1000)
    await till.say(back)
    [payment] = await _locked(till, order)
    begun = moves.give_back(payment, Money(PRICE.currency, 1000), back.return_id, clock.utc_now())
    refused = moves.advance(begun.payment, domain.Answer(domain.Input.NO, reason="REFUSED"), clock.utc_now())
    assert refused

    async with till.db.transaction() as transaction:
        await rows.begun(transaction, [back.return_id])
        await returning.settle(transaction, [refused])

    assert (await till.db.read(SETTLED, {"id": back.return_id}))[0][0] == "WAITING"
    assert await given(till, back.return_id) == 1000


async def test_a_return_waits_until_its_payment_is_free(idle_till: Till) -> None:
    order = new_id()
    await idle_till.say(requested(order))
    back = inspected(order, 1000)
    await idle_till.say(back)

    await begin(idle_till)

    assert (await idle_till.db.read(SETTLED, {"id": back.return_id}))[0][0] == "WAITING"


async def _locked(till: Till, order: str) -> list[domain.Payment]:
    async with till.db.transaction() as transaction:
        return await store.lock(transaction, [order])
