"""Accounts through the edge: what people keep with them, where they are signed in, and what mail proves."""

from email.message import EmailMessage
from pathlib import Path

import httpx

from scripts.simulators import mailbox
from tests.support import mails, shop
from tests.support.polling import eventually

ADDRESSES = "/api/v1/users/me/addresses"
METHODS = "/api/v1/users/me/payment-methods"
PREFERENCES = "/api/v1/users/me/preferences"
SESSIONS = "/api/v1/users/me/sessions"
RESET = "/api/v1/users/password/reset"
VERIFY = "/api/v1/users/email/verify"


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


async def code_in_mail(market: shop.Shop, email: str, subject: str) -> str:
    """The code in the newest mail with this subject."""
    store = Path(market.environment["MAIL_STORE"])
    found: list[EmailMessage] = []

    async def arrived() -> bool:
        messages = [mailbox.read_message(store, mail) for mail in mailbox.read_index(store, email)]
        found[:] = [message for message in messages if message["Subject"] == subject]
        return bool(found)

    await eventually(arrived, within_s=60)
    lines = mails.text(found[-1]).splitlines()
    return next(line for line in lines if len(line) == 43 and " " not in line)


async def test_a_password_is_reset_by_mail_once_and_every_sign_in_ends(market: shop.Shop) -> None:
    customer, password = await market.registered()
    stranger = await market.stranger()
    session = shop.taken(await customer.post("/api/v1/users/login", {"email": customer.email, "password": password}))
    answers = [await stranger.post(RESET, {"email": email}) for email in (customer.email, "nobody@example.com")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "{}")}

    code = await code_in_mail(market, customer.email, "Reset your password")
    body = {"token": code, "new_password": "another horse battery"}
    shop.taken(await stranger.http.put(RESET, json=body))
    assert (await stranger.http.put(RESET, json=body)).status_code == 400
    old = await stranger.post("/api/v1/users/login", {"email": customer.email, "password": password})
    assert old.status_code == 401
    renewed = await stranger.post("/api/v1/users/refresh", {"refresh_token": session["refresh_token"]})
    assert renewed.status_code == 401
    login = {"email": customer.email, "password": body["new_password"]}
    assert shop.taken(await stranger.post("/api/v1/users/login", login))["user"]["email_verified"]

    async def token_is_refused() -> bool:
        return (await customer.http.get("/api/v1/users/me")).status_code == 401

    await eventually(token_is_refused)


async def test_an_address_is_verified_by_mail(market: shop.Shop) -> None:
    customer, _ = await market.registered()
    assert not shop.taken(await customer.http.get("/api/v1/users/me"))["email_verified"]
    shop.taken(await customer.post(VERIFY, {}))
    code = await code_in_mail(market, customer.email, "Verify your email address")
    stranger = await market.stranger()
    shop.taken(await stranger.http.put(VERIFY, json={"token": code}))
    assert shop.taken(await customer.http.get("/api/v1/users/me"))["email_verified"]


async def test_somebody_ends_another_sign_in_and_stays_signed_in(market: shop.Shop) -> None:
    customer, password = await market.registered()
    login = {"email": customer.email, "password": password}
    headers = {"user-agent": "a lost phone"}
    lost = shop.taken(await customer.http.post("/api/v1/users/login", json=login, headers=headers))
    first, second = await kept(customer, SESSIONS)
    assert (first["user_agent"], first["current"], second["current"]) == ("a lost phone", False, True)
    assert first["address"]
    shop.taken(await customer.http.delete(f"{SESSIONS}/{first['id']}"))
    assert await kept(customer, SESSIONS) == [second]

    async def the_phone_is_out() -> bool:
        bearer = {"authorization": f"Bearer {lost['access_token']}"}
        return (await customer.http.get("/api/v1/users/me", headers=bearer)).status_code == 401

    await eventually(the_phone_is_out)


async def test_somebody_takes_what_is_known_of_them_and_is_erased(market: shop.Shop) -> None:
    customer, password = await market.registered()
    home = shop.taken(await customer.post(ADDRESSES, {"label": "Home", "address": shop.ADDRESS}))
    known = shop.taken(await customer.http.get("/api/v1/users/me/export"))
    assert (known["user"]["email"], known["addresses"]) == (customer.email, [home])
    assert [session["current"] for session in known["sessions"]] == [True]
    shop.taken(await customer.post("/api/v1/users/me/erase", {"current_password": password}))
    login = {"email": customer.email, "password": password}
    assert (await customer.post("/api/v1/users/login", login)).status_code == 401

    async def token_is_refused() -> bool:
        return (await customer.http.get(ADDRESSES)).status_code == 401

    await eventually(token_is_refused)
