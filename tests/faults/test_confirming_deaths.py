"""`kill -9` while an order waits for its customer to confirm the payment: it is paid once, or gives all back once."""

import asyncio

import pytest

from tests.faults.deaths import COMMIT, Death, deaths
from tests.faults.scenes import CONFIRMED_STEPS, SETTLE_S, Scene, once
from tests.support import bank, shop

CONFIRMED = [
    *deaths("payment", "effect", "authorize", "answered", "committed"),
    *deaths("payment", "relay", "PaymentActionRequired", "acknowledged"),
    *deaths("order", "consumer", "PaymentActionRequired", *COMMIT),
    *deaths("payment", "effect", "confirm", "answered"),
]
ABANDONED = [
    *deaths("order", "timer", "OrderCancelled", *COMMIT),
    *deaths("payment", "effect", "void", "answered", "committed"),
]
# The bank's page stays unanswered, so no payment can overtake a cancellation that has to be repeated.
CANCELLED = deaths("order", "call", "OrderCancelled", *COMMIT)
ON_THE_WAY = tuple({death.service: None for death in (*CONFIRMED, *ABANDONED, *CANCELLED)})


@pytest.mark.parametrize("death", CONFIRMED, ids=str)
async def test_an_order_that_its_customer_confirms_is_paid_once_through_a_death(scene: Scene, death: Death) -> None:
    scene.mortal.trap(death.service, death.trap)
    placing = asyncio.create_task(scene.place(bank.CARD))
    await scene.through(death)

    order_id = await placing
    await bank.is_asking(scene.customer, order_id, within_s=SETTLE_S)
    await bank.answer(scene.customer, order_id, "confirm")
    steps = await scene.ends(order_id, shop.PAID)

    assert steps == CONFIRMED_STEPS + once("PaymentActionRequired")
    assert (await scene.effects(order_id)).count("captured") == 1


@pytest.mark.parametrize("death", ABANDONED, ids=str)
async def test_an_order_that_nobody_confirms_gives_all_back_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await scene.place(bank.CARD)
    await bank.is_asking(scene.customer, order_id, within_s=SETTLE_S)
    scene.mortal.trap(death.service, death.trap)
    await scene.let_the_deadline_pass(order_id)
    await scene.through(death)

    steps = await scene.ends(order_id, "CANCELLED", "CONFIRMATION_TIMEOUT")

    given_back = once("DeadlinePassed", "StockReleased", "PaymentVoided")
    assert steps == once("OrderPlaced", "StockReserved", "PaymentActionRequired") + given_back
    assert "captured" not in await scene.effects(order_id)


@pytest.mark.parametrize("death", CANCELLED, ids=str)
async def test_an_order_cancelled_while_it_waits_gives_all_back_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await scene.place(bank.CARD)
    await bank.is_asking(scene.customer, order_id, within_s=SETTLE_S)
    scene.mortal.trap(death.service, death.trap)
    cancelling = asyncio.create_task(scene.cancel(order_id))
    await scene.through(death)

    await cancelling
    steps = await scene.ends(order_id, "CANCELLED", "CANCEL_REQUESTED")

    given_back = once("CancelRequested", "StockReleased", "PaymentVoided")
    assert steps == once("OrderPlaced", "StockReserved", "PaymentActionRequired") + given_back
    assert "captured" not in await scene.effects(order_id)
