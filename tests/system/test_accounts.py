"""What people keep with their accounts, through the edge."""

import httpx

from tests.support import shop

ADDRESSES = "/api/v1/users/me/addresses"
METHODS = "/api/v1/users/me/payment-methods"
PREFERENCES = "/api/v1/users/me/preferences"


async def kept(person: shop.Person, path: str) -> list[shop.Json]:
    [items] = shop.taken(await person.http.get(path)).values() or [[]]
    return list(items)


async def repeated(person: shop.Person, path: str, body: shop.Json) -> shop.Json:
    """The answer to a request that is sent twice with one key: the same both times."""
    headers = {"idempotency-key": f"key-of-{path}"}
    first, again = [await person.http.post(path, json=body, headers=headers) for _ in range(2)]
    assert shop.taken(first) == shop.taken(again)
    return shop.taken(again)


async def test_an_address_is_kept_once_changed_and_removed(market: shop.Shop) -> None:
    customer, _ = await market.registered()
    home = await repeated(customer, ADDRESSES, {"label": "Home", "address": shop.ADDRESS})
    assert home["is_default"]
    moved = {"label": "Home", "address": shop.ADDRESS | {"city": "Shelbyville"}, "is_default": True}
    path = f"{ADDRESSES}/{home['id']}"
    changed = shop.taken(await customer.http.put(path, json=moved))
    assert await kept(customer, ADDRESSES) == [changed]
    assert changed["address"]["city"] == "Shelbyville"
    stranger, _ = await market.registered()
    assert (await stranger.http.put(path, json=moved)).status_code == 404
    for _ in range(2):
        shop.taken(await customer.http.delete(path))
    assert await kept(customer, ADDRESSES) == []


async def test_a_payment_method_is_kept_and_its_token_never_answered(market: shop.Shop) -> None:
    customer, _ = await market.registered()
    answers: list[httpx.Response] = []
    method = await repeated(customer, METHODS, {"provider_token": shop.PAYS, "last_digits": "4242"})
    answers.append(await customer.http.get(METHODS))
    answers.append(await customer.http.put(f"{METHODS}/{method['id']}/default", json={}))
    assert all(shop.PAYS not in answer.text for answer in answers)
    assert await kept(customer, METHODS) == [method]
    shop.taken(await customer.http.delete(f"{METHODS}/{method['id']}"))
    assert await kept(customer, METHODS) == []


async def test_preferences_are_as_they_were_chosen(market: shop.Shop) -> None:
    customer, _ = await market.registered()
    chosen = {"language": "pt-BR", "currency": "EUR", "time_zone": "Europe/Lisbon"}
    assert shop.taken(await customer.http.put(PREFERENCES, json=chosen)) == chosen
    assert shop.taken(await customer.http.put(PREFERENCES, json={"currency": ""}))["time_zone"] == "Europe/Lisbon"
    assert shop.taken(await customer.http.get(PREFERENCES))["currency"] == ""
