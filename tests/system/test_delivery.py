"""After the order, as customers and a warehouse see it: parcels, their way, and what cancelling means once they are there."""

import asyncio
from collections.abc import Mapping

import httpx

from tests.support import audit, shipments, shop

END = ["ShipmentsHandedOver", "ShipmentsDelivered"]


async def placed(customer: shop.Person, basket: shop.Json) -> str:
    order = await customer.place(basket)
    assert (await customer.settled(order["id"]))["status"] == shop.PAID
    return str(order["id"])


def to(city: str, basket: shop.Json) -> shop.Json:
    return basket | {"shipping_address": shop.ADDRESS | {"city": city}}


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["details"][0]["reason"])


async def test_a_parcel_is_picked_packed_handed_over_and_delivered_and_so_is_its_order(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    tea = await market.product(stock=5)
    order_id = await placed(customer, shop.basket((tea, 2)))

    [parcel] = await shipments.labelled(customer, order_id)
    handed = await shipments.hand_over(admin, parcel)
    delivered = await customer.reached(order_id, "DELIVERED")

    assert (parcel["warehouse"], parcel["lines"]) == ("east", [{"sku": tea.sku, "quantity": "2"}])
    assert (handed["status"], bool(handed["label_url"]), parcel["label_url"]) == ("HANDED_OVER", True, "")
    assert [event["event"] for event in delivered["timeline"]][-2:] == END
    shown = shop.taken(await customer.http.get(f"/api/v1/shipments/{parcel['id']}"))
    assert (shown["status"], shown["events"][-1]["event"]) == ("DELIVERED", "DELIVERED")
    assert shown["events"][-1]["place"] == shop.ADDRESS["city"]
    assert (await customer.settled(order_id))["status"] == "DELIVERED"
    await auditor.audit([order_id])


async def test_parts_of_an_order_travel_apart_and_its_customer_sees_which_lines_are_where(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    tea = await market.product(stock=2, west=3)
    order_id = await placed(customer, shop.basket((tea, 4)))

    parcels = await shipments.labelled(customer, order_id)
    await shipments.hand_over(admin, parcels[0])

    assert sum(int(line["quantity"]) for one in parcels for line in one["lines"]) == 4
    assert [one["warehouse"] for one in parcels] == ["east", "west"]
    assert (await customer.order(order_id))["status"] == shop.PAID
    assert [one["status"] == "LABELLED" for one in await shipments.of_order(customer, order_id)] == [False, True]
    await shipments.hand_over(admin, parcels[1])
    await customer.reached(order_id, "DELIVERED")
    await auditor.audit([order_id])


async def test_an_order_whose_parcels_wait_is_cancelled_and_refunded_and_nothing_is_sent(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin, tea = await market.customer(), await market.admin(), await market.product(stock=5)
    order_id = await placed(customer, shop.basket((tea, 2)))
    [parcel] = await shipments.labelled(customer, order_id)

    await customer.cancel(order_id)
    ended = await customer.settled(order_id)

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "CANCEL_REQUESTED")
    assert (await customer.payment(order_id))["status"] == "REFUNDED"
    assert [one["status"] for one in await shipments.of_order(customer, order_id)] == ["STOPPED"]
    refused = await admin.http.put(f"/api/v1/shipments/{parcel['id']}/pick", json={})
    assert (refused.status_code, reason(refused)) == (400, "SHIPMENT_STATUS_WRONG")
    await auditor.audit([order_id])


async def test_an_order_of_which_a_part_has_left_goes_on_and_says_why_it_was_not_cancelled(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    order_id = await placed(customer, shop.basket((await market.product(stock=2, west=3), 4)))
    parcels = await shipments.labelled(customer, order_id)
    await shipments.hand_over(admin, parcels[0])

    await customer.cancel(order_id)
    order = await customer.settled(order_id)

    assert (order["status"], order["cancel_reason"]) == (shop.PAID, "")
    [refused] = [e for e in (await customer.status(order_id))["timeline"] if e["event"] == "StopRefused"]
    assert refused["reason"] == "HANDED_OVER"
    await shipments.hand_over(admin, parcels[1])
    await customer.reached(order_id, "DELIVERED")
    late = await customer.http.put(f"/api/v1/orders/{order_id}/cancel", json={})
    assert (late.status_code, reason(late)) == (400, "ORDER_SHIPPED")
    await auditor.audit([order_id])


async def test_a_parcel_that_comes_back_leaves_its_order_shipped_for_a_person(market: shop.Shop) -> None:
    customer, admin = await market.customer(), await market.admin()
    order_id = await placed(customer, to("Return Point", shop.basket((await market.product(), 1))))
    [parcel] = await shipments.labelled(customer, order_id)
    await shipments.hand_over(admin, parcel)

    async with asyncio.timeout(shop.SETTLE_S):
        while "ShipmentUndeliverable" not in [e["event"] for e in (await customer.status(order_id))["timeline"]]:
            await asyncio.sleep(shop.POLL_S)

    assert [one["status"] for one in await shipments.of_order(customer, order_id)] == ["RETURNED"]
    assert (await customer.order(order_id))["status"] == "SHIPPED"


async def test_shipments_are_nobody_elses_business(market: shop.Shop, environment: Mapping[str, str]) -> None:
    customer, stranger = await market.customer(), await market.customer()
    order_id = await placed(customer, shop.basket((await market.product(), 1)))
    [parcel] = await shipments.labelled(customer, order_id)

    assert await shipments.of_order(stranger, order_id) == []
    hidden = await stranger.http.get(f"/api/v1/shipments/{parcel['id']}")
    assert (hidden.status_code, reason(hidden)) == (404, "SHIPMENT_NOT_FOUND")
    assert environment["CARRIER_URL"] not in str(parcel)
