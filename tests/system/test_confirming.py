"""An order whose payment its customer has to confirm with their bank (3-D Secure): it waits, and goes on or gives all back."""

from tests.support import audit, bank, shop


async def _asked(customer: shop.Person, tea: shop.Product, card: str = bank.CARD) -> str:
    """An order that waits for its customer."""
    order_id = str((await customer.place(shop.basket((tea, 2), card=card)))["id"])
    await bank.is_asking(customer, order_id)
    return order_id


def _steps(status: shop.Json) -> list[str]:
    return [entry["event"] for entry in status["timeline"]]


async def test_an_order_waits_for_its_customer_and_is_confirmed_once_the_bank_agrees(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order_id = await _asked(customer, tea)
    waiting = await customer.status(order_id)
    assert (waiting["status"], waiting["saga"]["awaiting"]) == ("RESERVED", ["customer", "payment"])
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 2, "available": 3}

    await bank.answer(customer, order_id, "confirm")

    ended = await customer.settled(order_id)
    assert (ended["status"], ended["action_required"]) == (shop.PAID, False)
    steps = _steps(await customer.status(order_id))
    assert steps[2:4] == ["PaymentActionRequired", "PaymentAuthorized"]
    async with customer.http.stream("GET", f"/api/v1/orders/{order_id}/watch?after_sequence=2") as watched:
        assert "PaymentActionRequired" in await anext(watched.aiter_lines())
    await auditor.audit([order_id])


async def test_how_to_confirm_is_told_to_the_customer_alone(market: shop.Shop) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order_id = await _asked(customer, tea)

    rival, admin = await market.customer(), await market.admin()

    assert (await rival.http.get(f"/api/v1/payments/{order_id}")).status_code == 404
    assert "action" not in {name for name, value in (await admin.payment(order_id)).items() if value}
    await customer.cancel(order_id)


async def test_what_the_customer_refuses_abandons_or_cancels_gives_everything_back(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea = await market.customer(), await market.product(stock=6)
    refused, cancelled, abandoned = [await _asked(customer, tea) for _ in range(3)]

    await bank.answer(customer, refused, "refuse")
    await customer.cancel(cancelled)

    reasons = [(await customer.settled(one))["cancel_reason"] for one in (refused, cancelled, abandoned)]
    assert reasons == ["PAYMENT_DECLINED", "CANCEL_REQUESTED", "CONFIRMATION_TIMEOUT"]
    assert [(await customer.payment(one))["status"] for one in (cancelled, abandoned)] == ["VOIDED", "VOIDED"]
    assert await customer.stock(tea) == {"on_hand": 6, "reserved": 0, "available": 6}
    await auditor.audit([refused, cancelled, abandoned])
