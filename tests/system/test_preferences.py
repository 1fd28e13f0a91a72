"""What a customer wants to be told where, through the whole stack: a text message instead of a mail."""

from tests.support import audit, shop
from tests.support.polling import eventually

PREFERENCES = "/api/v1/notifications/preferences"
HISTORY = "/api/v1/notifications/history"


async def told(customer: shop.Person) -> set[tuple[str, str, str]]:
    history = shop.taken(await customer.http.get(HISTORY))
    return {(item["template"], item["channel"], item["status"]) for item in history["notifications"]}


async def test_a_customer_who_chooses_text_messages_gets_them(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, _ = await market.registered()
    wish = {"phone_number": "+4915112345678", "choices": [{"kind": "ORDER", "channels": ["SMS"]}]}
    chosen = shop.taken(await customer.http.put(PREFERENCES, json=wish))
    assert chosen == shop.taken(await customer.http.get(PREFERENCES))
    product = await market.product(stock=5)

    order = await customer.place(shop.basket((product, 1)))
    await customer.settled(order["id"])

    async def both() -> bool:
        return await told(customer) == {("welcome", "EMAIL", "SENT"), ("order_confirmed", "SMS", "SENT")}

    await eventually(both, within_s=30)
    await auditor.audit([order["id"]])


async def test_quiet_hours_are_chosen_and_ended_over_rest(market: shop.Shop) -> None:
    customer, _ = await market.registered()
    night = {"start": "22:00", "end": "07:00", "time_zone": "Asia/Tokyo"}

    shop.taken(await customer.http.put(PREFERENCES, json={"quiet_hours": night}))
    assert shop.taken(await customer.http.get(PREFERENCES))["quiet_hours"] == night

    shop.taken(await customer.http.put(PREFERENCES, json={"quiet_hours": {}}))
    assert not shop.taken(await customer.http.get(PREFERENCES)).get("quiet_hours")
