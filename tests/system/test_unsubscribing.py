"""Unsubscribing through the edge, as mail programs and people do it: by a link of a mail, without signing in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from scripts.simulators import mailbox
from tests.support import mails, shop
from tests.support.polling import eventually

WISHES = "/api/v1/notifications/preferences"
SEND = "/api/v1/notifications/send"


async def test_one_click_through_the_edge_ends_offers(market: shop.Shop, environment: Mapping[str, str]) -> None:
    customer, _ = await market.registered()
    admin, store = await market.admin(), Path(environment["MAIL_STORE"])

    async def welcomed() -> bool:
        return bool(mailbox.read_index(store, to=customer.email))

    # Until then notification does not know them.
    await eventually(welcomed, within_s=20)
    user_id: Any = shop.taken(await customer.http.get("/api/v1/users/me"))["id"]
    wanted = {"choices": [{"kind": "MARKETING", "channels": ["EMAIL"]}], "language": "de"}
    shop.taken(await customer.http.put(WISHES, json=wanted))
    offer = {"user_id": user_id, "subject": "Tee im Angebot", "text": "Nur heute.", "kind": "MARKETING"}
    shop.taken(await admin.http.post(SEND, json=offer))

    async def arrived() -> bool:
        return any(mail.subject == offer["subject"] for mail in mailbox.read_index(store, to=customer.email))

    await eventually(arrived, within_s=20)
    [mail] = [mail for mail in mailbox.read_index(store, to=customer.email) if mail.subject == offer["subject"]]
    message = mailbox.read_message(store, mail)
    assert mails.text(message).startswith("Guten Tag")
    link = str(message["List-Unsubscribe"]).strip("<>")
    assert link.startswith(environment["EDGE_URL"])

    async with httpx.AsyncClient() as anybody:
        looked = await anybody.get(link)
        assert looked.headers["content-type"] == "text/html; charset=utf-8"
        assert '<form method="post">' in looked.text
        assert await mail_about_offers(customer)
        clicked = await anybody.post(link, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status_code == 200
        assert "no more mail about offers" in clicked.text
        assert not await mail_about_offers(customer)
        # The button of the page posts an empty form.
        assert (await anybody.post(link, data={})).status_code == 200


async def mail_about_offers(customer: shop.Person) -> bool:
    """Whether somebody gets offers by mail."""
    wishes = shop.taken(await customer.http.get(WISHES))["choices"]
    [chosen] = [choice for choice in wishes if choice["kind"] == "MARKETING"]
    return "EMAIL" in chosen["channels"]
