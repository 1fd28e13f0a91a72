"""Mail that comes back, through the edge: a relay tells of it in the words of Amazon SES, and its message has failed."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from scripts.simulators import mailbox
from services.chassis import signatures
from tests.support import shop
from tests.support.polling import eventually

SECRET = "whsec_of_mail_tests"
HOOK, HISTORY = "/api/v1/notifications/bounces", "/api/v1/notifications/history"


def told(email: str, message_id: str) -> dict[str, Any]:
    """What SES says of a mailbox that does not exist."""
    bounce = {"feedbackId": message_id, "bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": []}
    mail = {"destination": [email], "headers": [{"name": "Message-ID", "value": message_id}]}
    return {"notificationType": "Bounce", "bounce": bounce, "mail": mail}


async def test_a_mail_that_came_back_has_failed_in_its_readers_history(
    market: shop.Shop, environment: Mapping[str, str]
) -> None:
    customer, _ = await market.registered()
    store = Path(environment["MAIL_STORE"])

    async def welcome() -> str:
        notifications: Any = shop.taken(await customer.http.get(HISTORY))["notifications"]
        return next((one["status"] for one in notifications if one["template"] == "welcome"), "")

    async def welcomed() -> bool:
        return bool(mailbox.read_index(store, to=customer.email)) and await welcome() == "SENT"

    await eventually(welcomed, within_s=20)
    [mail] = mailbox.read_index(store, to=customer.email)
    message_id = str(mailbox.read_message(store, mail)["Message-ID"])
    body, seconds = json.dumps(told(customer.email, message_id)).encode(), int(time.time())

    async with httpx.AsyncClient(base_url=environment["EDGE_URL"], trust_env=False) as relay:
        refused = await relay.post(HOOK, content=body, headers={"webhook-signature": f"t={seconds},v1=00"})
        assert (refused.status_code, await welcome()) == (401, "SENT")
        signature = f"t={seconds},v1={signatures.code(SECRET, f'{seconds}.'.encode() + body)}"
        heard = await relay.post(HOOK, content=body, headers={"webhook-signature": signature})
        assert (heard.status_code, heard.json()) == (200, {})

    assert await welcome() == "FAILED"
