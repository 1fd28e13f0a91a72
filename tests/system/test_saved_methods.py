"""Orders and carts that are paid by what their customer saved with the account: the token behind it comes to nobody's eyes."""

from tests.support import audit, shop

METHODS = "/api/v1/users/me/payment-methods"


async def _saving(market: shop.Shop) -> tuple[shop.Person, str]:
    """A customer and the id of their only payment method, which is their default."""
    customer, _ = await market.registered()
    saved = shop.taken(await customer.post(METHODS, {"provider_token": shop.PAYS}, key=shop.new_key()))
    return customer, str(saved["id"])


def _by_saved(tea: shop.Product, method: str) -> shop.Json:
    return shop.basket((tea, 1), card="") | {"saved_payment_method": method}


async def test_an_order_is_paid_by_a_saved_method_or_by_the_default(market: shop.Shop, auditor: audit.Auditor) -> None:
    (customer, method), tea = await _saving(market), await market.product(stock=5)

    orders = [(await customer.place(_by_saved(tea, named)))["id"] for named in (method, method.upper(), "default")]

    for order_id in orders:
        assert (await customer.settled(order_id))["status"] == shop.PAID
    await auditor.audit(orders)


async def test_a_cart_is_checked_out_by_a_saved_method(market: shop.Shop) -> None:
    (customer, method), tea = await _saving(market), await market.product(stock=5)
    cart = shop.taken(await customer.post("/api/v1/cart/items", {"sku": tea.sku, "quantity": 1}))
    terms = {"expected_version": cart["version"], "shipping_address": shop.ADDRESS, "saved_payment_method": method}

    made = shop.taken(await customer.post("/api/v1/cart/checkout", terms))

    assert (await customer.settled(made["order_id"]))["status"] == shop.PAID


async def test_a_deleted_method_and_somebody_elses_are_refused_alike(market: shop.Shop) -> None:
    (customer, method), tea = await _saving(market), await market.product(stock=5)
    rival, _ = await market.registered()
    shop.taken(await customer.http.delete(f"{METHODS}/{method}"))
    _, others = await _saving(market)

    refused = [
        await customer.post("/api/v1/orders", _by_saved(tea, method)),
        await customer.post("/api/v1/orders", _by_saved(tea, others)),
        await rival.post("/api/v1/orders", _by_saved(tea, "default")),
    ]

    assert {(one.status_code, one.json()["details"][0]["reason"]) for one in refused} == {
        (404, "PAYMENT_METHOD_NOT_FOUND")
    }
