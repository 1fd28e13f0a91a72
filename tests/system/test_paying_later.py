"""An order placed without a payment method waits for one: paid in time it goes on, else it ends and gives its stock back."""

import httpx

from tests.support import audit, shop
from tests.support.polling import eventually


async def _placed(customer: shop.Person, tea: shop.Product, quantity: int) -> str:
    """An order that holds its stock and waits to be paid."""
    order = await customer.place(shop.basket((tea, quantity), card=""))
    await customer.reached(order["id"], "RESERVED")
    return str(order["id"])


async def _pay(customer: shop.Person, order_id: str, *, key: str = "") -> httpx.Response:
    body = {"order_id": order_id, "payment_method": shop.PAYS}
    return await customer.post("/api/v1/payments", body, key=key)


async def _awaited(customer: shop.Person, order_id: str) -> shop.Json:
    """The payment of an order, once there is one: it is made a moment after the stock is held."""

    async def there() -> bool:
        return (await customer.http.get(f"/api/v1/payments/{order_id}")).status_code == 200

    await eventually(there)
    return await customer.payment(order_id)


async def test_an_order_without_a_payment_method_is_paid_later_and_confirmed(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order_id, key = await _placed(customer, tea, 2), shop.new_key()
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 2, "available": 3}
    waiting = await _awaited(customer, order_id)
    assert (waiting["status"], shop.cents(waiting["captured_amount"])) == ("AWAITING_METHOD", 0)
    assert await auditor.provider_log(order_id) == [], "nobody was asked for money yet"

    paid = shop.taken(await _pay(customer, order_id, key=key))
    again = shop.taken(await _pay(customer, order_id, key=key))

    assert paid["id"] == again["id"] == waiting["id"]
    assert (await customer.settled(order_id))["status"] == shop.PAID
    payment = await customer.payment(order_id)
    assert (payment["status"], payment["captured_amount"]) == ("CAPTURED", payment["amount"])
    assert [line["effect"] for line in await auditor.provider_log(order_id)] == ["authorized", "captured"]
    assert await customer.stock(tea) == {"on_hand": 3, "reserved": 0, "available": 3}
    await auditor.audit([order_id])


async def test_nobody_else_pays_an_order_that_waits(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, rival, tea = await market.customer(), await market.customer(), await market.product(stock=5)
    order_id = await _placed(customer, tea, 1)
    await _awaited(customer, order_id)
    assert (await _pay(rival, order_id)).status_code == 404
    shop.taken(await _pay(customer, order_id))
    assert (await customer.settled(order_id))["status"] == shop.PAID
    await auditor.audit([order_id])


async def test_an_order_that_is_not_paid_in_time_is_cancelled_and_gives_its_stock_back(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order_id = await _placed(customer, tea, 2)

    ended = await customer.settled(order_id, within_s=40)

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "PAYMENT_TIMEOUT")
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    late = await _pay(customer, order_id)
    assert late.status_code == 400
    assert "PAYMENT_METHOD_NOT_AWAITED" in late.text
    payment = await customer.payment(order_id)
    assert (payment["status"], shop.cents(payment["captured_amount"])) == ("VOIDED", 0)
    assert await auditor.provider_log(order_id) == [], "the provider never heard of it"
    await auditor.audit([order_id])
