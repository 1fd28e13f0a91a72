"""After the order, through the edge: notes, documents as JSON, page and file, searches, and what a vendor sees."""

import asyncio
import io
import time
from typing import Any

from pypdf import PdfReader

from tests.support import audit, shop

WITHIN_S = 20.0


async def until_documents(person: shop.Person, order_id: str, many: int) -> list[shop.Json]:
    """The documents of an order, once there are so many."""
    until = time.monotonic() + WITHIN_S
    while True:
        found = shop.taken(await person.http.get(f"/api/v1/orders/{order_id}/documents"))["documents"]
        if len(found) == many:
            return list(found)
        assert time.monotonic() < until, found
        await asyncio.sleep(0.2)


async def get(person: shop.Person, path: str, **options: Any) -> Any:
    """What is there. The first PDF of a process loads what makes it, which a busy machine may not do in time: asked again."""
    for _ in range(4):
        answer = await person.http.get(path, timeout=30, **options)
        if answer.status_code != 504:
            break
    assert answer.status_code == 200, answer.text
    return answer


async def test_an_order_is_invoiced_its_refund_is_credited_and_the_books_agree(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin = await market.customer(), await market.admin()
    order = await customer.place(shop.basket((await market.product(), 2)))
    await customer.settled(order["id"])
    [invoice] = await until_documents(customer, order["id"], 1)
    path = f"/api/v1/orders/{order['id']}/invoice"

    told = (await get(customer, path)).json()
    page = await get(customer, path, params={"format": "HTML"})
    file = await get(customer, path, params={"format": "PDF"})
    assert (told["number"], told["kind"], told["total"]) == (invoice["number"], "INVOICE", order["total"])
    assert (page.headers["content-type"], invoice["number"] in page.text) == ("text/html; charset=utf-8", True)
    assert file.headers["content-type"] == "application/pdf"
    assert invoice["number"] in PdfReader(io.BytesIO(file.content)).pages[0].extract_text()

    payment = await customer.payment(order["id"])
    refund = {"amount": {"currency_code": "USD", "units": "1"}, "reason": "scratched"}
    shop.taken(await admin.post(f"/api/v1/payments/{payment['id']}/refund", refund, key=shop.new_key()))
    _, note = await until_documents(customer, order["id"], 2)
    assert (note["kind"], shop.cents(note["total"]), note["invoice_number"]) == ("CREDIT_NOTE", 100, invoice["number"])
    credited = await get(
        customer, f"/api/v1/orders/{order['id']}/credit-notes/{note['number']}", params={"format": "PDF"}
    )
    assert note["number"] in PdfReader(io.BytesIO(credited.content)).pages[0].extract_text()
    await auditor.audit([order["id"]])


async def test_notes_stand_with_the_order_and_internal_ones_apart(market: shop.Shop) -> None:
    customer, admin = await market.customer(), await market.admin()
    order = await customer.place(shop.basket((await market.product(), 1)))
    path, key = f"/api/v1/orders/{order['id']}/notes", shop.new_key()
    said = {"text": "Ring twice, please."}
    first = shop.taken(await customer.post(path, said, key=key))
    assert shop.taken(await customer.post(path, said, key=key)) == first
    shop.taken(await admin.post(path, {"text": "A regular.", "internal": True}))
    seen = shop.taken(await customer.http.get(path))["notes"]
    assert [note["text"] for note in seen] == ["Ring twice, please."]
    assert [note["internal"] for note in shop.taken(await admin.http.get(path))["notes"]] == [False, True]
    await customer.settled(order["id"])


async def test_administrators_find_an_order_by_what_they_know_of_it(market: shop.Shop) -> None:
    customer, admin = await market.customer(), await market.admin()
    tea = await market.product()
    order = await customer.place(shop.basket((tea, 1)))
    settled = await customer.settled(order["id"])
    for known in (
        {"sku": tea.sku},
        {"user_id": order["user_id"]},
        {"sku": tea.sku, "from": order["create_time"]},
        {"user_id": order["user_id"], "status": settled["status"]},
    ):
        found = shop.taken(await admin.http.get("/api/v1/orders/search", params=known))
        assert [one["id"] for one in found["orders"]] == [order["id"]], known
    for wrong in ({"to": order["create_time"]}, {"stuck": "true"}, {"status": "PENDING"}):
        found = shop.taken(await admin.http.get("/api/v1/orders/search", params={"sku": tea.sku, **wrong}))
        assert found["orders"] == [], wrong


async def test_a_vendor_sees_what_was_bought_of_them(market: shop.Shop) -> None:
    customer, vendor = await market.customer(), await market.vendor()
    sku = shop.new_sku()
    made = shop.taken(
        await vendor.post("/api/v1/products", shop.product_body(sku, 700, category=await market.category()))
    )
    stock = {"sku": sku, "warehouse": "east", "on_hand": 5}
    shop.taken(await vendor.http.put(f"/api/v1/products/{made['id']}/stock", json=stock))
    tea = await market.product()
    basket = shop.basket((tea, 1))
    basket["items"].append({"sku": sku, "quantity": 2})
    order = await customer.place(basket)
    await customer.settled(order["id"])
    found = shop.taken(await vendor.http.get(f"/api/v1/vendors/{made['vendor_id']}/orders"))
    [seen] = found["orders"]
    assert (seen["order_id"], [line["sku"] for line in seen["lines"]]) == (order["id"], [sku])
    assert shop.cents(seen["totals"]["total"]) == 1400
    assert tea.sku not in str(found)
    assert order["user_id"] not in str(found)
