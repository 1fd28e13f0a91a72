"""One order's journey, as a customer sees it, from registration to the mail in the box."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import httpx
from google.protobuf import json_format

from scripts.simulators import mailbox
from souk.order.v1 import order_service_pb2
from souk.order.v1.order_service_pb2_grpc import OrderServiceStub
from tests.support import audit, shop
from tests.support.polling import eventually

# What happens to an order that goes well, until its parcels wait for those who pick them. The last three come in any order.
BEGINNING = [
    ("OrderPlaced", "PENDING"),
    ("StockReserved", "RESERVED"),
    ("PaymentAuthorized", "CONFIRMED"),
]
END = {"StockCommitted", "PaymentCaptured", "ShipmentsCreated"}


def steps(events: list[shop.Json]) -> list[tuple[str, str]]:
    return [(event["event"], event["status"]) for event in events]


def assert_went_well(events: list[shop.Json]) -> None:
    assert steps(events)[:3] == BEGINNING
    assert {event["event"] for event in events[3:]} == END
    assert [event["status"] for event in events[3:]] == ["CONFIRMED", "CONFIRMED", shop.PAID]
    assert [int(event["sequence"]) for event in events] == [1, 2, 3, 4, 5, 6]
    times = [datetime.fromisoformat(event["time"]) for event in events]
    assert times == sorted(times)


async def sent(customer: shop.Person, template: str) -> bool:
    history = shop.taken(await customer.http.get("/api/v1/notifications/history"))
    return any(item["template"] == template and item["status"] == "SENT" for item in history["notifications"])


async def test_a_new_customer_registers_browses_orders_and_gets_a_mail(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> None:
    customer, password = await market.registered()
    credentials = {"email": customer.email.upper(), "password": password}
    session = shop.taken(await customer.post("/api/v1/users/login", credentials))
    me = shop.taken(await customer.http.get("/api/v1/users/me"))
    assert (session["user"]["id"], me["email"], me["roles"]) == (customer.user_id, customer.email, ["CUSTOMER"])
    tea, cup = await market.product(stock=5, cents=1999), await market.product(stock=7, cents=350)
    found = shop.taken(
        await customer.http.get("/api/v1/products", params={"category": shop.CATEGORY, "page_size": 100})
    )
    assert {tea.id, cup.id} <= {product["id"] for product in found["products"]}
    page = shop.taken(await customer.http.get(f"/api/v1/products/{tea.id}"))
    assert shop.cents(page["variants"][0]["price"]) == 1999

    order = await customer.place(shop.basket((tea, 2), (cup, 3)))
    assert (order["status"], shop.cents(order["total"])) == ("PENDING", 2 * 1999 + 3 * 350)
    assert order["saga_id"]
    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["cancel_reason"]) == (shop.PAID, "")
    payment = await customer.payment(order["id"])
    assert (payment["status"], shop.cents(payment["captured_amount"])) == ("CAPTURED", 2 * 1999 + 3 * 350)
    assert payment == shop.taken(await customer.http.get(f"/api/v1/payments/{ended['payment_id']}"))
    assert await customer.stock(tea) == {"on_hand": 3, "reserved": 0, "available": 3}
    assert await customer.stock(cup) == {"on_hand": 4, "reserved": 0, "available": 4}
    status = await customer.status(order["id"])
    assert_went_well(status["timeline"])
    events = shop.taken(await customer.http.get(f"/api/v1/orders/{order['id']}/events"))
    assert events["events"] == status["timeline"]
    listed = shop.taken(await customer.http.get("/api/v1/orders"))
    assert listed["orders"] == [ended]
    await eventually(lambda: sent(customer, "order_confirmed"), within_s=10)
    [mail] = [m for m in mails(environment, customer) if "confirmed" in m.subject]
    text = mailbox.read_message(Path(environment["MAIL_STORE"]), mail).as_string()
    # Nobody has shown that the address is the customer's: how much, and no title that somebody chose.
    assert "Number of items: 5" in text
    assert tea.sku not in text
    await auditor.audit([order["id"]])


def mails(environment: Mapping[str, str], customer: shop.Person) -> list[mailbox.Mail]:
    return mailbox.read_index(Path(environment["MAIL_STORE"]), to=customer.email)


async def test_a_customer_whose_order_is_cancelled_is_written_to(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> None:
    customer, _ = await market.registered()
    order = await customer.place(shop.basket((await market.product(), 1), card="card_declined"))

    await customer.settled(order["id"])

    await eventually(lambda: sent(customer, "order_cancelled"), within_s=10)
    assert len([mail for mail in mails(environment, customer) if "cancelled" in mail.subject]) == 1
    await auditor.audit([order["id"]])


async def test_an_order_placed_twice_with_one_key_is_placed_once(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, tea, key = await market.customer(), await market.product(stock=5), shop.new_key()

    first = await customer.place(shop.basket((tea, 1)), key=key)
    again = await customer.place(shop.basket((tea, 1)), key=key)
    await customer.settled(first["id"])
    later = await customer.place(shop.basket((tea, 1)), key=key)

    assert again["id"] == later["id"] == first["id"]
    assert later["status"] == shop.PAID
    assert await auditor.orders_of(customer.user_id) == [first["id"]]
    assert (await customer.stock(tea))["on_hand"] == 4
    await auditor.audit([first["id"]])


async def test_an_order_placed_many_times_at_once_with_one_key_is_placed_once(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea, key = await market.customer(), await market.product(stock=5), shop.new_key()

    placed = await asyncio.gather(*(customer.place(shop.basket((tea, 1)), key=key) for _ in range(10)))
    await customer.settled(placed[0]["id"])

    assert len({order["id"] for order in placed}) == 1
    assert (await customer.stock(tea))["on_hand"] == 4
    await auditor.audit([placed[0]["id"]])


async def test_a_key_that_was_used_for_another_order_is_refused(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, tea, key = await market.customer(), await market.product(stock=5), shop.new_key()
    order = await customer.place(shop.basket((tea, 1)), key=key)

    refused = await customer.post("/api/v1/orders", shop.basket((tea, 2)), key=key)

    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "REQUEST_ID_REUSED")
    await customer.settled(order["id"])
    assert await auditor.orders_of(customer.user_id) == [order["id"]]


async def test_two_customers_may_use_the_same_key(market: shop.Shop, auditor: audit.Auditor) -> None:
    one, other, tea, key = await market.customer(), await market.customer(), await market.product(), shop.new_key()

    orders = [await person.place(shop.basket((tea, 1)), key=key) for person in (one, other)]

    assert orders[0]["id"] != orders[1]["id"]
    await asyncio.gather(one.settled(orders[0]["id"]), other.settled(orders[1]["id"]))
    await auditor.audit([order["id"] for order in orders])


async def test_watch_order_streams_the_timeline_over_grpc(market: shop.Shop, environment: Mapping[str, str]) -> None:
    customer = await market.customer()
    order = await customer.place(shop.basket((await market.product(), 1), card="card_slow"))
    metadata = (("authorization", f"Bearer {customer.token}"),)

    async with grpc.aio.insecure_channel(urlsplit(environment["EDGE_URL"]).netloc) as channel:
        request = order_service_pb2.WatchOrderRequest(id=order["id"])
        seen: list[shop.Json] = []
        async for event in OrderServiceStub(channel).WatchOrder(request, metadata=metadata, timeout=20):
            seen.append(json_format.MessageToDict(event))
            if seen[-1]["status"] == shop.PAID:
                break

    assert_went_well(seen)


async def test_watch_order_streams_the_timeline_over_rest_as_it_happens(market: shop.Shop) -> None:
    customer = await market.customer()
    order = await customer.place(shop.basket((await market.product(), 1), card="card_slow"))
    events: list[shop.Json] = []

    async with customer.http.stream("GET", f"/api/v1/orders/{order['id']}/watch") as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line:
                events.append(json.loads(line))
            if len(events) == 2:
                # Two are here, and the order is still under way: nobody had to wait for its end to see them.
                assert (await customer.order(order["id"]))["status"] == "RESERVED"
            if events and events[-1]["status"] == shop.PAID:
                break

    assert_went_well(events)


async def test_a_watch_of_an_order_at_its_end_tells_all_and_ends(market: shop.Shop) -> None:
    customer = await market.customer()
    order = await customer.place(shop.basket((await market.product(), 1), card="card_declined"))
    await customer.settled(order["id"])

    answer = await customer.http.get(f"/api/v1/orders/{order['id']}/watch")

    told = [json.loads(line) for line in answer.text.splitlines() if line]
    assert told == (await customer.status(order["id"]))["timeline"]
    assert told[-1]["status"] == "CANCELLED"


async def test_an_order_is_nobody_elses_business_but_the_administrators(market: shop.Shop) -> None:
    customer, stranger, admin = await market.customer(), await market.customer(), await market.admin()
    order = await customer.place(shop.basket((await market.product(), 1)))
    await customer.settled(order["id"])
    paths = [f"/api/v1/orders/{order['id']}{part}" for part in ("", "/status", "/events", "/watch")]
    paths.append(f"/api/v1/payments/{order['id']}")

    for path in paths:
        hidden = await stranger.http.get(path)
        assert (hidden.status_code, reason(hidden)) == (404, f"{'PAYMENT' if 'pay' in path else 'ORDER'}_NOT_FOUND")
        # A watch goes on, so that nobody waits for its end.
        async with admin.http.stream("GET", path) as answer:
            assert answer.status_code == 200
    refused = await stranger.http.put(f"/api/v1/orders/{order['id']}/cancel", json={})

    assert (refused.status_code, reason(refused)) == (404, "ORDER_NOT_FOUND")
    assert (await customer.order(order["id"]))["status"] == shop.PAID
    assert shop.taken(await stranger.http.get("/api/v1/orders"))["orders"] == []


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["details"][0]["reason"])


async def test_orders_are_listed_newest_first_a_page_at_a_time(market: shop.Shop) -> None:
    customer, tea = await market.customer(), await market.product()
    placed = [(await customer.place(shop.basket((tea, 1))))["id"] for _ in range(5)]
    seen: list[str] = []
    token = ""

    while True:
        page = shop.taken(await customer.http.get("/api/v1/orders", params={"page_size": 2, "page_token": token}))
        seen += [order["id"] for order in page["orders"]]
        token = page["next_page_token"]
        if not token:
            break

    assert seen == placed[::-1]
    await asyncio.gather(*(customer.settled(order_id) for order_id in placed))
