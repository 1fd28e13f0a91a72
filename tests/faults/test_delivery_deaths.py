"""`kill -9` at each line that opens, labels, stops or follows a parcel: none is doubled, and each label is bought once.

One service dies at one line, once; it is started again and the order goes on where it was. Then everybody's books agree, the
carrier's log among them.
"""

import asyncio

import pytest

from tests.faults.deaths import COMMIT, CONSUMER, EFFECT, RELAY, Death, deaths
from tests.faults.scenes import CONFIRMED_STEPS, SETTLE_S, Scene, once
from tests.support import shop

LABELLED = [
    *deaths("shipping", "consumer", "OrderConfirmed", *CONSUMER),
    *deaths("shipping", "consumer", "StockCommitted", *CONSUMER),
    *deaths("shipping", "relay", "ShipmentCreated", *RELAY),
    *deaths("shipping", "effect", "buy", *EFFECT),
    *deaths("order", "consumer", "ShipmentCreated", *COMMIT),
]
DELIVERED = [
    *deaths("shipping", "call", "ShipmentHandedOver", *COMMIT),
    *deaths("shipping", "follower", "ShipmentDelivered", *COMMIT),
    *deaths("shipping", "relay", "ShipmentDelivered", *RELAY),
    *deaths("order", "consumer", "ShipmentHandedOver", *COMMIT),
    *deaths("order", "consumer", "ShipmentDelivered", *COMMIT),
]
STOPPED = [
    *deaths("order", "call", "ShipmentsStopRequested", *COMMIT),
    *deaths("shipping", "consumer", "ShipmentsStopRequested", *CONSUMER),
    *deaths("shipping", "relay", "ShipmentsStopped", *RELAY),
    *deaths("shipping", "effect", "void", *EFFECT),
    *deaths("order", "consumer", "ShipmentsStopped", *COMMIT),
]
ON_THE_WAY = tuple({death.service: None for death in (*LABELLED, *DELIVERED, *STOPPED)})


@pytest.mark.parametrize("death", LABELLED, ids=str)
async def test_an_order_gets_its_parcel_and_one_label_through_a_death(scene: Scene, death: Death) -> None:
    scene.mortal.trap(death.service, death.trap)
    placing = asyncio.create_task(scene.place())
    await scene.through(death)

    order_id = await placing
    [shipment] = await scene.labelled(order_id)
    steps = await scene.ends(order_id, shop.PAID)

    assert steps == CONFIRMED_STEPS
    assert [event["event"] for event in shipment["events"]] == ["CREATED", "LABEL_BOUGHT"]


@pytest.mark.parametrize("death", DELIVERED, ids=str)
async def test_an_order_is_delivered_once_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await scene.place()
    [shipment] = await scene.labelled(order_id)
    scene.mortal.trap(death.service, death.trap)
    handing_over = asyncio.create_task(scene.hand_over(shipment))
    await scene.through(death)

    await handing_over
    await scene.customer.reached(order_id, "DELIVERED", within_s=SETTLE_S)
    steps = await scene.ends(order_id, "DELIVERED")

    assert steps == CONFIRMED_STEPS + once("ShipmentsHandedOver", "ShipmentsDelivered")


@pytest.mark.parametrize("death", STOPPED, ids=str)
async def test_an_order_that_is_cancelled_after_it_was_paid_is_stopped_through_a_death(
    scene: Scene, death: Death
) -> None:
    order_id = await scene.place()
    await scene.labelled(order_id)
    await scene.customer.settled(order_id)
    scene.mortal.trap(death.service, death.trap)
    cancelling = asyncio.create_task(scene.cancel(order_id))
    await scene.through(death)

    await cancelling
    await scene.customer.reached(order_id, "CANCELLED", within_s=SETTLE_S)

    events = [event["event"] for event in (await scene.customer.status(order_id))["timeline"]]
    assert (events.count("ShipmentsStopped"), events.count("PaymentRefunded")) == (1, 1)
    assert await scene.effects(order_id) == ["authorized", "captured", "refunded"]
    await scene.auditor.audit([order_id])
