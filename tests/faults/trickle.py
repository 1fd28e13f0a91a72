"""Customers who keep ordering while things break: each wish has a key, and is repeated until it is heard."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle

import httpx

from tests.support import audit, shop

# Most pay, one card is declined, and one is charged while its answer is lost.
CARDS = ("card_approved", "card_approved", "card_declined", "card_approved", "card_charge_then_500")
PAUSE_S = 0.12
HEARD_S = 60.0
SETTLE_S = 40.0


async def insist(ask: Callable[[], Awaitable[httpx.Response]], *, within_s: float = HEARD_S) -> shop.Json:
    """Repeat a call until it is answered by yes. Raises AssertionError for a no that repeating does not change, or in the end."""
    until = time.monotonic() + within_s
    while True:
        try:
            answer = await ask()
        except httpx.TransportError as error:
            said = repr(error)
        else:
            if answer.status_code < 500:
                return shop.taken(answer)
            said = answer.text
        assert time.monotonic() < until, f"no answer within {within_s} s, the last was {said}"
        await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Trickle:
    """A customer's orders of one product, pause_s seconds apart: `count` of them, or fewer when `over` is set before."""

    customer: shop.Person
    product: shop.Product
    count: int
    pause_s: float = PAUSE_S
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def flow(self) -> list[str]:
        """Place the orders, one after a short while the other, whatever happens meanwhile: their ids."""
        async with asyncio.TaskGroup() as group:
            placing: list[asyncio.Task[str]] = []
            for card in cycle(CARDS):
                if self.over.is_set() or len(placing) == self.count:
                    break
                placing.append(group.create_task(self._place(card)))
                await asyncio.sleep(self.pause_s)
        return [task.result() for task in placing]

    async def _place(self, card: str) -> str:
        basket, key = shop.basket((self.product, 1), card=card), shop.new_key()
        order = await insist(lambda: self.customer.post("/api/v1/orders", basket, key=key))
        return str(order["id"])

    async def settled(self, order_ids: list[str]) -> list[shop.Json]:
        """Wait until all have come to an end. Raises AssertionError when one has not in time."""
        until = time.monotonic() + SETTLE_S
        return await asyncio.gather(*(self._settled(order_id, until) for order_id in order_ids))

    async def _settled(self, order_id: str, until: float) -> shop.Json:
        path = f"/api/v1/orders/{order_id}/status"
        while True:
            now = await insist(lambda: self.customer.http.get(path))
            if shop.at_rest(now):
                return now
            assert time.monotonic() < until, f"order {order_id} is not settled after {SETTLE_S} s: {now}"
            await asyncio.sleep(0.2)


async def begun(market: shop.Shop, count: int) -> Trickle:
    """A trickle of so many orders, of a product of which there is enough."""
    return Trickle(await market.customer(), await market.product(stock=1000), count)


async def assert_all_is_well(trickle: Trickle, order_ids: list[str], auditor: audit.Auditor) -> list[shop.Json]:
    """Every accepted order came to an end, none was lost or doubled, and the books agree: how each ended."""
    ended = await trickle.settled(order_ids)
    assert len(set(order_ids)) == len(order_ids) > 0
    assert sorted(await auditor.orders_of(trickle.customer.user_id)) == sorted(order_ids)
    await auditor.audit(order_ids)
    sold = sum(order["status"] == shop.PAID for order in ended)
    left = 1000 - sold
    assert await trickle.customer.stock(trickle.product) == {"on_hand": left, "reserved": 0, "available": left}
    return ended
