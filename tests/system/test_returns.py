"""Returns and money back, as customers, a warehouse and the auditor see them."""

import asyncio
import uuid

import httpx

from tests.support import audit, sending_back, shipments, shop


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["details"][0]["reason"])


async def delivered(market: shop.Shop, customer: shop.Person, *items: tuple[shop.Product, int]) -> str:
    order = await customer.place(shop.basket(*items))
    await customer.settled(order["id"])
    await shipments.deliver(customer, await market.admin(), order["id"])
    return str(order["id"])


async def test_one_line_comes_back_and_so_do_exactly_its_money_and_its_goods(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    tea, pot = await market.product(stock=5, cents=999), await market.product(stock=5)
    order_id = await delivered(market, customer, (tea, 3), (pot, 1))
    lines = {line["sku"]: line for line in (await customer.order(order_id))["lines"]}

    asked = await sending_back.request(customer, order_id, (tea.sku, 3), reason="DEFECTIVE")
    inspected = await sending_back.arrived(admin, asked["id"], (tea.sku, 2, 1))
    ended = await sending_back.refunded(customer, asked["id"])

    assert (asked["status"], inspected["status"]) == ("REQUESTED", "INSPECTED")
    assert ended["refunded_amount"] == inspected["refund"]["amount"] == lines[tea.sku]["payable"]
    payment = await customer.payment(order_id)
    assert (payment["status"], payment["refunded_amount"]) == ("CAPTURED", ended["refunded_amount"])
    assert [event["event"] for event in ended["timeline"]] == [
        *("ReturnRequested", "ReturnApproved", "ReturnReceived", "ReturnInspected", "ReturnRefunded")
    ]
    await sending_back.stocked(customer, tea, 5 - 3 + 2)
    assert (await customer.stock(pot))["on_hand"] == 4
    await auditor.audit([order_id])


async def test_an_order_that_comes_back_in_pieces_gives_back_all_that_was_paid(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    tea, pot = await market.product(stock=5, cents=333), await market.product(stock=5)
    order_id = await delivered(market, customer, (tea, 2), (pot, 1))

    # All are under way at once: a payment gives them back one after another.
    asked = [await sending_back.request(customer, order_id, (sku, 1)) for sku in (tea.sku, pot.sku, tea.sku)]
    for one in asked:
        await sending_back.arrived(admin, one["id"], (one["lines"][0]["sku"], 1, 0))
    ended = [await sending_back.refunded(customer, one["id"]) for one in asked]

    total = (await customer.order(order_id))["total"]
    assert sum(shop.cents(one["refunded_amount"]) for one in ended) == shop.cents(total)
    assert (await customer.payment(order_id))["status"] == "REFUNDED"
    assert (await customer.order(order_id))["status"] == "DELIVERED"
    await sending_back.stocked(customer, tea, 5)
    listed = shop.taken(await customer.http.get(f"/api/v1/orders/{order_id}/returns"))["returns"]
    assert [one["id"] for one in listed] == [one["id"] for one in asked]
    await auditor.audit([order_id])


async def test_what_two_returns_at_once_want_is_never_more_than_was_delivered(market: shop.Shop) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order_id = await delivered(market, customer, (tea, 3))
    wanted = {"lines": [{"sku": tea.sku, "quantity": 2, "reason": "CHANGED_MIND"}]}

    answers = await asyncio.gather(*(customer.post(f"/api/v1/orders/{order_id}/returns", wanted) for _ in range(5)))

    assert sorted(answer.status_code // 100 for answer in answers) == [2, 4, 4, 4, 4]
    assert {reason(answer) for answer in answers if answer.status_code >= 400} == {"RETURN_QUANTITY_EXCEEDED"}


async def test_a_return_is_asked_for_once_by_its_key_and_is_nobody_elses_business(market: shop.Shop) -> None:
    customer, stranger, tea = await market.customer(), await market.customer(), await market.product(stock=5)
    order_id = await delivered(market, customer, (tea, 2))
    key = str(uuid.uuid4())

    first = await sending_back.request(customer, order_id, (tea.sku, 1), key=key)
    again = await sending_back.request(customer, order_id, (tea.sku, 1), key=key)

    assert again["id"] == first["id"]
    hidden = await stranger.http.get(f"/api/v1/returns/{first['id']}")
    assert (hidden.status_code, reason(hidden)) == (404, "RETURN_NOT_FOUND")


async def test_a_rejected_return_moves_nothing_and_says_why(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, admin, tea = await market.customer(), await market.admin(), await market.product(stock=5)
    order_id = await delivered(market, customer, (tea, 1))
    asked = await sending_back.request(customer, order_id, (tea.sku, 1))

    await sending_back.do(admin, asked["id"], "reject", reason="It was worn.")
    late = await admin.http.put(f"/api/v1/returns/{asked['id']}/receive", json={})

    rejected = shop.taken(await customer.http.get(f"/api/v1/returns/{asked['id']}"))
    assert (rejected["status"], rejected["reject_reason"]) == ("REJECTED", "It was worn.")
    assert (late.status_code, reason(late)) == (400, "RETURN_STATUS_WRONG")
    assert (await customer.stock(tea))["on_hand"] == 4
    await auditor.audit([order_id])


async def test_an_approved_return_shows_its_customer_a_label_until_it_is_over(market: shop.Shop) -> None:
    customer, other, admin = await market.customer(), await market.customer(), await market.admin()
    tea = await market.product(stock=5)
    order_id = await delivered(market, customer, (tea, 1))
    wanted = await sending_back.request(customer, order_id, (tea.sku, 1))
    await sending_back.do(admin, wanted["id"], "approve")

    [shipment] = await shipments.of_return(customer, wanted["id"], "LABELLED")

    assert shipment["label_url"].startswith("https://")
    assert shipment["return_id"] == wanted["id"]
    assert shop.taken(await other.http.get(f"/api/v1/returns/{wanted['id']}/shipments"))["shipments"] == []
    assert [one["status"] for one in await shipments.of_order(customer, order_id)] == ["DELIVERED"]
    await sending_back.do(admin, wanted["id"], "receive", warehouse="")
    [after] = await shipments.of_return(customer, wanted["id"], "STOPPED")
    assert after["id"] == shipment["id"]


async def test_goods_lie_where_they_were_received_and_otherwise_where_they_came_from(market: shop.Shop) -> None:
    customer, admin = await market.customer(), await market.admin()
    tea = await market.product(stock=2)
    order_id = await delivered(market, customer, (tea, 2))
    before = {"east": 0, "west": 0}
    for warehouse, there in (("west", before | {"west": 1}), ("nowhere", {"east": 1, "west": 1})):
        asked = await sending_back.request(customer, order_id, (tea.sku, 1))
        await sending_back.arrived(admin, asked["id"], (tea.sku, 1, 0), warehouse=warehouse)
        await sending_back.stocked(customer, tea, sum(there.values()))
        found = shop.taken(await customer.http.get(f"/api/v1/inventory/{tea.sku}"))
        lying = {level["warehouse"]: int(level["on_hand"]) for level in found["levels"] if int(level["on_hand"])}
        assert lying == {place: count for place, count in there.items() if count}


async def test_an_order_that_was_not_delivered_cannot_be_returned(market: shop.Shop) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 1)))
    await customer.settled(order["id"])
    wanted = {"lines": [{"sku": tea.sku, "quantity": 1, "reason": "CHANGED_MIND"}]}

    refused = await customer.post(f"/api/v1/orders/{order['id']}/returns", wanted)

    assert (refused.status_code, reason(refused)) == (400, "ORDER_NOT_DELIVERED")


async def test_a_return_is_exchanged_once_for_a_new_order_that_is_paid_for_by_itself(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, stranger, admin = await market.customer(), await market.customer(), await market.admin()
    small, large = await market.product(stock=5, cents=1000), await market.product(stock=5, cents=1500)
    order_id = await delivered(market, customer, (small, 1))
    asked = await sending_back.request(customer, order_id, (small.sku, 1))
    path, wanted = f"/api/v1/returns/{asked['id']}/exchange", {"order": shop.basket((large, 1))}

    hidden = await stranger.post(path, wanted)
    placed = [shop.taken(await customer.post(path, wanted)) for _ in range(2)]
    await sending_back.arrived(admin, asked["id"], (small.sku, 1, 0))
    ended = await sending_back.refunded(customer, asked["id"])

    assert (hidden.status_code, reason(hidden)) == (404, "RETURN_NOT_FOUND")
    assert placed[0]["id"] == placed[1]["id"] == ended["exchange_order_id"]
    assert shop.cents(placed[0]["total"]) == 1500
    assert shop.cents(ended["refunded_amount"]) == 1000
    assert (await customer.settled(placed[0]["id"]))["status"] == shop.PAID
    await auditor.audit([order_id, placed[0]["id"]])
