"""Shipments as a customer sees them and a warehouse handles them: over REST, through the edge of the running stack."""

import asyncio

from tests.support import shop

STEPS = ("pick", "pack", "hand-over")


async def of_order(person: shop.Person, order_id: str) -> list[shop.Json]:
    """The shipments of an order, by warehouse."""
    found: list[shop.Json] = shop.taken(await person.http.get(f"/api/v1/orders/{order_id}/shipments"))["shipments"]
    return found


async def of_return(person: shop.Person, return_id: str, status: str) -> list[shop.Json]:
    """The shipments of a return, once all are in this state. Raises TimeoutError when they are not in time."""
    async with asyncio.timeout(shop.SETTLE_S):
        while True:
            found = shop.taken(await person.http.get(f"/api/v1/returns/{return_id}/shipments"))["shipments"]
            if {one["status"] for one in found} == {status}:
                return list(found)
            await asyncio.sleep(shop.POLL_S)


async def labelled(person: shop.Person, order_id: str) -> list[shop.Json]:
    """The shipments of an order, once all have labels. Raises TimeoutError when they have none in time."""
    async with asyncio.timeout(shop.SETTLE_S):
        while True:
            found = await of_order(person, order_id)
            if {one["status"] for one in found} == {"LABELLED"}:
                return found
            await asyncio.sleep(shop.POLL_S)


async def hand_over(admin: shop.Person, shipment: shop.Json) -> shop.Json:
    """Pick, pack and hand over one shipment: how it is then."""
    answers = [await admin.http.put(f"/api/v1/shipments/{shipment['id']}/{step}", json={}) for step in STEPS]
    return [shop.taken(answer) for answer in answers][-1]


async def deliver(customer: shop.Person, admin: shop.Person, order_id: str) -> None:
    """See an order that is paid through to its recipient: the carrier's clock runs fast."""
    for shipment in await labelled(customer, order_id):
        await hand_over(admin, shipment)
    await customer.reached(order_id, "DELIVERED")
