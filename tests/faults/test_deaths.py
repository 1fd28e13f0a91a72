"""`kill -9` at each line that commits, publishes, acknowledges or calls out on an order's way: the order is never half-made.

One service dies at one line, once, while it handles the order; it is started again and the order goes on where it was. Then
everybody's books agree: money once, stock once, each step once, one letter.
"""

import asyncio

import pytest

from tests.faults.deaths import COMMIT, CONSUMER, EFFECT, RELAY, Death, deaths
from tests.faults.scenes import CONFIRMED_STEPS, Scene, once
from tests.support import shop
from tests.support.traps import Trap

CONFIRMED = [
    *deaths("order", "call", "OrderPlaced", *COMMIT),
    *deaths("order", "relay", "OrderPlaced", *RELAY),
    *deaths("inventory", "consumer", "OrderPlaced", *CONSUMER),
    *deaths("inventory", "relay", "StockReserved", *RELAY),
    *deaths("order", "consumer", "StockReserved", *CONSUMER),
    *deaths("order", "relay", "PaymentRequested", "acknowledged"),
    *deaths("payment", "consumer", "PaymentRequested", *CONSUMER),
    *deaths("payment", "effect", "authorize", *EFFECT),
    *deaths("payment", "relay", "PaymentAuthorized", *RELAY),
    # The pivot, and what is retried behind it.
    *deaths("order", "consumer", "PaymentAuthorized", *CONSUMER),
    *deaths("order", "relay", "OrderConfirmed", *RELAY),
    *deaths("inventory", "consumer", "OrderConfirmed", *COMMIT),
    *deaths("payment", "consumer", "OrderConfirmed", *COMMIT),
    *deaths("payment", "effect", "capture", *EFFECT),
    *deaths("order", "consumer", "StockCommitted", "committed"),
    *deaths("order", "consumer", "PaymentCaptured", "committed"),
    *deaths("notification", "consumer", "OrderConfirmed", *CONSUMER),
    *deaths("notification", "effect", "order_confirmed", *EFFECT),
]
DECLINED = [
    *deaths("payment", "effect", "authorize", "answered", "committed"),
    *deaths("order", "consumer", "PaymentDeclined", *COMMIT),
    *deaths("order", "relay", "OrderCancelled", "acknowledged"),
    *deaths("inventory", "consumer", "OrderCancelled", *COMMIT),
    *deaths("order", "consumer", "StockReleased", *COMMIT),
]
CANCELLED = [
    *deaths("payment", "consumer", "OrderCancelled", *COMMIT),
    *deaths("payment", "effect", "void", *EFFECT),
    *deaths("payment", "relay", "PaymentVoided", "acknowledged"),
    *deaths("order", "consumer", "PaymentVoided", "committed"),
]
# What an order with a coupon adds.
REDEEMED = [
    *deaths("promotion", "consumer", "OrderPlaced", *CONSUMER),
    *deaths("promotion", "relay", "CouponsRedeemed", *RELAY),
    *deaths("order", "consumer", "CouponsRedeemed", *COMMIT),
    *deaths("promotion", "consumer", "OrderConfirmed", *COMMIT),
]
RELEASED = [
    *deaths("promotion", "consumer", "OrderCancelled", *COMMIT),
    *deaths("promotion", "relay", "CouponsReleased", "acknowledged"),
    *deaths("order", "consumer", "CouponsReleased", *COMMIT),
]
PARKED = deaths("inventory", "parked", "StockReserved", *COMMIT)
TIMED_OUT = deaths("order", "timer", "OrderCancelled", *COMMIT)
ALL = (*CONFIRMED, *DECLINED, *CANCELLED, *REDEEMED, *RELEASED, *PARKED, *TIMED_OUT)
ON_THE_WAY = tuple({death.service: None for death in ALL})


@pytest.mark.parametrize("death", CONFIRMED, ids=str)
async def test_an_order_is_confirmed_once_through_a_death(scene: Scene, death: Death) -> None:
    scene.mortal.trap(death.service, death.trap)
    placing = asyncio.create_task(scene.place())
    await scene.through(death)

    order_id = await placing
    steps = await scene.ends(order_id, shop.PAID)

    assert steps == CONFIRMED_STEPS
    assert await scene.effects(order_id) == ["authorized", "captured"]


@pytest.mark.parametrize("death", DECLINED, ids=str)
async def test_an_order_whose_card_is_declined_gives_its_stock_back_through_a_death(scene: Scene, death: Death) -> None:
    scene.mortal.trap(death.service, death.trap)
    placing = asyncio.create_task(scene.place("card_declined"))
    await scene.through(death)

    order_id = await placing
    steps = await scene.ends(order_id, "CANCELLED", "PAYMENT_DECLINED")

    assert steps == once("OrderPlaced", "StockReserved", "PaymentDeclined", "StockReleased")
    assert not {"authorized", "captured"}.intersection(await scene.effects(order_id))


@pytest.mark.parametrize("death", CANCELLED, ids=str)
async def test_an_order_cancelled_while_it_is_paid_gives_all_back_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await scene.place("card_slow")
    await scene.customer.reached(order_id, "RESERVED")
    scene.mortal.trap(death.service, death.trap)
    cancelling = asyncio.create_task(scene.cancel(order_id))
    await scene.through(death)

    await cancelling
    steps = await scene.ends(order_id, "CANCELLED", "CANCEL_REQUESTED")

    assert steps == once("OrderPlaced", "StockReserved", "CancelRequested", "StockReleased", "PaymentVoided")
    assert await scene.effects(order_id) == ["authorized", "voided"]


@pytest.mark.parametrize("death", REDEEMED, ids=str)
async def test_an_order_with_a_coupon_uses_it_once_through_a_death(scene: Scene, death: Death) -> None:
    promotion_id, code = await scene.market.promotion(uses=1)
    scene.mortal.trap(death.service, death.trap)
    placing = asyncio.create_task(scene.place(coupon=code))
    await scene.through(death)

    order_id = await placing
    steps = await scene.ends(order_id, shop.PAID)

    assert steps == CONFIRMED_STEPS + once("CouponsRedeemed")
    assert await scene.market.uses_of(promotion_id) == 1


@pytest.mark.parametrize("death", RELEASED, ids=str)
async def test_a_declined_order_gives_its_coupon_back_through_a_death(scene: Scene, death: Death) -> None:
    promotion_id, code = await scene.market.promotion(uses=1)
    scene.mortal.trap(death.service, death.trap)
    placing = asyncio.create_task(scene.place("card_declined", code))
    await scene.through(death)

    order_id = await placing
    steps = await scene.ends(order_id, "CANCELLED", "PAYMENT_DECLINED")

    held = once("OrderPlaced", "StockReserved", "CouponsRedeemed")
    assert steps == held + once("PaymentDeclined", "StockReleased", "CouponsReleased")
    assert await scene.market.uses_of(promotion_id) == 0


@pytest.mark.parametrize("death", TIMED_OUT, ids=str)
async def test_an_order_nobody_paid_for_is_cancelled_by_the_next_timer_when_one_dies(
    scene: Scene, death: Death
) -> None:
    order_id = await scene.place("")
    await scene.customer.reached(order_id, "RESERVED")
    scene.mortal.trap(death.service, death.trap)
    await scene.let_the_deadline_pass(order_id)
    await scene.through(death)

    steps = await scene.ends(order_id, "CANCELLED", "PAYMENT_TIMEOUT")

    assert steps == once("OrderPlaced", "StockReserved", "DeadlinePassed", "StockReleased", "PaymentVoided")
    assert await scene.effects(order_id) == []


@pytest.mark.parametrize("death", PARKED, ids=str)
async def test_an_order_whose_event_was_parked_goes_on_through_a_death_of_the_retry(scene: Scene, death: Death) -> None:
    scene.mortal.spoil(death.service, Trap("consumer written", "StockReserved"))
    scene.mortal.trap(death.service, death.trap)
    order_id = await scene.place()
    await scene.mortal.dies(death.service)
    scene.mortal.heal(death.service)
    await scene.mortal.revive(death.service)

    steps = await scene.ends(order_id, shop.PAID)

    assert steps == CONFIRMED_STEPS
    assert await scene.effects(order_id) == ["authorized", "captured"]
