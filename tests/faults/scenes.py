"""The scene of a death: a customer with a mailbox, a product that nobody else wants, and services that can be trapped."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from scripts.simulators import mailbox
from tests.faults import mortals
from tests.faults.deaths import Death
from tests.faults.trickle import insist
from tests.support import audit, shipments, shop
from tests.support.polling import eventually

SETTLE_S = 30.0
STOCK = 5


def once(*steps: str) -> Counter[str]:
    """Each of these steps, once."""
    return Counter(steps)


# What happens to an order that goes well, until its parcels wait for those who pick them.
CONFIRMED_STEPS = once(
    *("OrderPlaced", "StockReserved", "PaymentAuthorized", "StockCommitted", "PaymentCaptured", "ShipmentsCreated")
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A customer with a mailbox, a product that nobody else wants, and the services that may die."""

    mortal: mortals.Mortals
    auditor: audit.Auditor
    environment: Mapping[str, str]
    market: shop.Shop
    customer: shop.Person
    tea: shop.Product

    async def place(self, card: str = shop.PAYS, coupon: str = "") -> str:
        """Order two, as often as it takes to be heard: the order's id."""
        basket, key = shop.basket((self.tea, 2), card=card), shop.new_key()
        basket |= {"coupon_codes": [coupon]} if coupon else {}
        order = await insist(lambda: self.customer.post("/api/v1/orders", basket, key=key))
        return str(order["id"])

    async def cancel(self, order_id: str) -> None:
        """Cancel, as often as it takes to be heard."""
        await insist(lambda: self.customer.http.put(f"/api/v1/orders/{order_id}/cancel", json={}))

    async def let_the_deadline_pass(self, order_id: str) -> None:
        """The time that an order may wait is over now."""
        url = self.environment["ORDER_DATABASE_URL"]
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("UPDATE sagas SET deadline = clock_timestamp() WHERE order_id = %s", [order_id])

    async def through(self, death: Death) -> None:
        """Wait for a death that was prepared, and start the dead service again."""
        await self.mortal.dies(death.service)
        await self.mortal.revive(death.service)

    async def ends(self, order_id: str, status: str, reason: str = "") -> Counter[str]:
        """The order ended like this, all books agree, and the customer had one letter: how often each step was taken."""
        await insist(lambda: self.customer.http.get(f"/api/v1/orders/{order_id}"))
        ended = await self.customer.settled(order_id, within_s=SETTLE_S)
        assert (ended["status"], ended["cancel_reason"]) == (status, reason)
        left = STOCK - 2 * (status != "CANCELLED")
        assert await self.customer.stock(self.tea) == {"on_hand": left, "reserved": 0, "available": left}
        assert await self.auditor.orders_of(self.customer.user_id) == [order_id]
        await self.auditor.audit([order_id])
        await self._had_one_letter(order_id)
        return Counter(event["event"] for event in (await self.customer.status(order_id))["timeline"])

    async def effects(self, order_id: str) -> list[str]:
        """What the provider did for the order."""
        return [line["effect"] for line in await self.auditor.provider_log(order_id)]

    async def _had_one_letter(self, order_id: str) -> None:
        async def settled() -> bool:
            return await self._letters(order_id) == ["SENT"]

        await eventually(settled, within_s=SETTLE_S)
        mails = mailbox.read_index(Path(self.environment["MAIL_STORE"]), to=self.customer.email)
        # Its parcels are told of in letters of their own.
        about = [
            mail for mail in mails if order_id in mail.subject and mail.subject.endswith(("confirmed", "cancelled"))
        ]
        assert len({mail.message_id for mail in about}) == 1

    async def _letters(self, order_id: str) -> list[str]:
        url = self.environment["NOTIFICATION_DATABASE_URL"]
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            asked = b"SELECT state FROM notifications WHERE occasion_id = %s"
            return [row[0] for row in await (await connection.execute(asked, [order_id])).fetchall()]

    async def labelled(self, order_id: str) -> list[shop.Json]:
        """The order's shipments, once they have labels."""
        path = f"/api/v1/orders/{order_id}/shipments"
        async with asyncio.timeout(SETTLE_S):
            while True:
                found: list[shop.Json] = (await insist(lambda: self.customer.http.get(path)))["shipments"]
                if {one["status"] for one in found} == {"LABELLED"}:
                    return found
                await asyncio.sleep(shop.POLL_S)

    async def hand_over(self, shipment: shop.Json) -> None:
        """Pick, pack and hand over, as often as it takes to be heard."""
        admin = await self.market.admin()
        for step in shipments.STEPS:
            path = f"/api/v1/shipments/{shipment['id']}/{step}"
            await insist(lambda path=path: admin.http.put(path, json={}))  # type: ignore[misc]  # bound at once
