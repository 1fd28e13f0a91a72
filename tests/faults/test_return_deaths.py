"""`kill -9` at each line that asks for a return, inspects it, shelves its goods or gives its money back: each is done once.

One service dies at one line, once; it is started again and the return goes on where it was. Then everybody's books agree, the
provider's log among them.
"""

import asyncio

import pytest

from tests.faults.deaths import COMMIT, CONSUMER, EFFECT, RELAY, Death, deaths
from tests.faults.scenes import SETTLE_S, STOCK, Scene
from tests.faults.trickle import insist
from tests.support import sending_back, shop

REQUESTED = deaths("order", "call", "ReturnRequested", *COMMIT)
REFUNDED = [
    *deaths("order", "call", "ReturnInspected", *COMMIT),
    *deaths("order", "relay", "ReturnInspected", *RELAY),
    *deaths("inventory", "consumer", "ReturnInspected", *CONSUMER),
    *deaths("payment", "consumer", "ReturnInspected", *CONSUMER),
    *deaths("payment", "effect", "refund", *EFFECT),
    *deaths("payment", "relay", "ReturnRefundSettled", *RELAY),
    *deaths("order", "consumer", "ReturnRefundSettled", *CONSUMER),
]
ON_THE_WAY = tuple({death.service: None for death in (*REQUESTED, *REFUNDED)})


async def delivered(scene: Scene) -> str:
    order_id = await scene.place()
    [shipment] = await scene.labelled(order_id)
    await scene.hand_over(shipment)
    await scene.customer.reached(order_id, "DELIVERED", within_s=SETTLE_S)
    return order_id


async def asked(scene: Scene, order_id: str) -> str:
    """Ask for one to be taken back, as often as it takes to be heard: the return's id."""
    wanted = {"lines": [{"sku": scene.tea.sku, "quantity": 1, "reason": "CHANGED_MIND"}]}
    key, path = shop.new_key(), f"/api/v1/orders/{order_id}/returns"
    return str((await insist(lambda: scene.customer.post(path, wanted, key=key)))["id"])


async def inspected(scene: Scene, return_id: str) -> None:
    """Say that it came and can be sold again, as often as it takes to be heard."""
    admin, path = await scene.market.admin(), f"/api/v1/returns/{return_id}/inspect"
    found = {"findings": [{"sku": scene.tea.sku, "resell": 1}]}
    await insist(lambda: admin.http.put(path, json=found))


async def came_back_once(scene: Scene, order_id: str, return_id: str) -> None:
    await insist(lambda: scene.customer.http.get(f"/api/v1/returns/{return_id}"))
    ended = await sending_back.refunded(scene.customer, return_id, within_s=SETTLE_S)
    await sending_back.stocked(scene.customer, scene.tea, STOCK - 1)
    assert shop.cents(ended["refunded_amount"]) == scene.tea.cents
    assert await scene.effects(order_id) == ["authorized", "captured", "refunded"]
    await scene.auditor.audit([order_id])


@pytest.mark.parametrize("death", REQUESTED, ids=str)
async def test_a_return_is_asked_for_once_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await delivered(scene)
    scene.mortal.trap(death.service, death.trap)
    asking = asyncio.create_task(asked(scene, order_id))
    await scene.through(death)

    return_id = await asking

    listed = await insist(lambda: scene.customer.http.get(f"/api/v1/orders/{order_id}/returns"))
    assert [one["id"] for one in listed["returns"]] == [return_id]


@pytest.mark.parametrize("death", REFUNDED, ids=str)
async def test_the_money_and_the_goods_of_a_return_come_back_once_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await delivered(scene)
    return_id, admin = await asked(scene, order_id), await scene.market.admin()
    await sending_back.do(admin, return_id, "approve")
    await sending_back.do(admin, return_id, "receive")
    scene.mortal.trap(death.service, death.trap)
    inspecting = asyncio.create_task(inspected(scene, return_id))
    await scene.through(death)

    await inspecting
    await came_back_once(scene, order_id, return_id)
