"""`kill -9` of cart before and after each use of Redis, and of Kafka: no line is lost, no order and no reminder made twice.

What cart writes is one value in Redis at a time. It dies there, is started again, and whoever had no answer repeats the call.
Steps count the uses of Redis in one call, batch or turn (`services/cart/usecases/`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from tests.faults import mortals
from tests.faults.deaths import REDIS, Death, deaths
from tests.faults.trickle import insist
from tests.support import audit, shop
from tests.support.polling import eventually

CART, GUEST = "/api/v1/cart", "/api/v1/cart/guest"
SETTLE_S = 30.0

CHANGED = deaths("cart", "call", "step-2", *REDIS)  # the cart is replaced
CHECKED_OUT = [
    *deaths("cart", "call", "step-2", *REDIS),  # the request is written down
    *deaths("cart", "call", "step-3", *REDIS),  # the order is made, and the cart read again
    *deaths("cart", "call", "step-4", *REDIS),  # the order is written down
]
MERGED = [
    *deaths("cart", "call", "step-4", *REDIS),  # the guest's cart is claimed
    *deaths("cart", "call", "step-6", *REDIS),  # the user's cart is replaced
    *deaths("cart", "call", "step-7", *REDIS),  # the guest's cart is deleted
]
TAKEN_OUT = [
    *deaths("cart", "consumer", "step-2", *REDIS),  # the carts are replaced
    *deaths("cart", "consumer", "OrderConfirmed", "offsets-committed"),
]
REMINDED = [
    *deaths("cart", "reminders", "step-2", "answered"),  # the carts are claimed and read
    *deaths("cart", "reminders", "CartAbandoned", "read", "acknowledged"),
    *deaths("cart", "reminders", "step-3", "answered"),  # the claim is settled
]


ON_THE_WAY = ("cart",)


@dataclass(frozen=True, slots=True)
class Scene:
    """A customer, tea to buy, and a cart service that may die."""

    mortal: mortals.Mortals
    auditor: audit.Auditor
    market: shop.Shop
    customer: shop.Person
    tea: shop.Product
    notifications: str
    redis: str

    def trap(self, death: Death) -> None:
        """Let cart die there, once."""
        self.mortal.trap(death.service, death.trap)

    async def through(self, death: Death) -> None:
        """Wait for a death that was prepared, and start the dead service again."""
        await self.mortal.dies(death.service)
        await self.mortal.revive(death.service)

    async def put(self, quantity: int) -> shop.Json:
        """Have so much tea in the cart, as often as it takes to be heard: the cart."""
        return await insist(lambda: self.customer.http.put(f"{CART}/items/{self.tea.sku}", json={"quantity": quantity}))

    async def held(self) -> dict[str, int]:
        """What is in the customer's cart, by SKU."""
        return units(await insist(lambda: self.customer.http.get(CART)))

    async def holds(self, quantity: int) -> None:
        """Wait until there is so much tea in the cart, and nothing else."""
        wanted = {self.tea.sku: quantity} if quantity else {}

        async def is_so() -> bool:
            return await self.held() == wanted

        await eventually(is_so, within_s=SETTLE_S)

    async def check_out(self, version: int) -> str:
        """Order the cart, as often as it takes to be heard: the order's id."""
        terms = {"expected_version": version, "shipping_address": shop.ADDRESS, "payment_method": shop.PAYS}
        return str((await insist(lambda: self.customer.post(f"{CART}/checkout", terms)))["order_id"])

    async def reminders(self) -> list[str]:
        """The states of the reminders that the customer got, or will get."""
        asked = b"SELECT state FROM notifications WHERE user_id = %s AND template = 'cart_reminder' ORDER BY id"
        async with await psycopg.AsyncConnection.connect(self.notifications, autocommit=True) as connection:
            return [row[0] for row in await (await connection.execute(asked, [self.customer.user_id])).fetchall()]

    async def nobody_is_due(self) -> None:
        """Wait until nobody's cart is to be looked at: the next that is will be the customer's."""
        async with Redis.from_url(self.redis) as redis:

            async def is_so() -> bool:
                return not await redis.zcount("cart:reminders", "-inf", (time.time() + SETTLE_S) * 1000)

            await eventually(is_so, within_s=SETTLE_S)

    async def is_reminded(self, times: int) -> None:
        """Wait until the customer got so many reminders."""

        async def is_so() -> bool:
            return await self.reminders() == ["SENT"] * times

        await eventually(is_so, within_s=SETTLE_S)


def units(cart: shop.Json) -> dict[str, int]:
    return {line["sku"]: int(line["quantity"]) for line in cart["lines"]}


@pytest_asyncio.fixture
async def scene(
    mortal: mortals.Mortals, market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> AsyncIterator[Scene]:
    """Everything is well, and the cart is empty."""
    customer, _ = await market.registered()
    tea = await market.product(stock=10)
    stores = environment["NOTIFICATION_DATABASE_URL"], environment["REDIS_URL"]
    yield Scene(mortal, auditor, market, customer, tea, *stores)


@pytest.mark.parametrize("death", CHANGED, ids=str)
async def test_a_line_is_there_when_its_call_was_answered_after_a_death(scene: Scene, death: Death) -> None:
    await scene.put(1)
    scene.trap(death)
    putting = asyncio.create_task(scene.put(3))
    await scene.through(death)

    assert units(await putting) == await scene.held() == {scene.tea.sku: 3}


@pytest.mark.parametrize("death", CHANGED, ids=str)
async def test_an_order_is_in_the_cart_again_once_through_a_death(scene: Scene, death: Death) -> None:
    order_id = await scene.check_out(int((await scene.put(2))["version"]))
    await scene.holds(0)
    scene.trap(death)
    again = f"/api/v1/orders/{order_id}/reorder"
    reordering = asyncio.create_task(insist(lambda: scene.customer.post(again, {})))
    await scene.through(death)

    cart = (await reordering)["cart"]
    assert units(cart) == await scene.held() == {scene.tea.sku: 2}
    assert (await insist(lambda: scene.customer.post(again, {})))["cart"]["version"] == cart["version"]


@pytest.mark.parametrize("death", CHECKED_OUT, ids=str)
async def test_a_checkout_makes_one_order_through_a_death(scene: Scene, death: Death) -> None:
    version = int((await scene.put(2))["version"])
    scene.trap(death)
    ordering = asyncio.create_task(scene.check_out(version))
    await scene.through(death)

    order_id = await ordering
    assert await scene.check_out(version) == order_id
    assert (await scene.customer.settled(order_id))["status"] == shop.PAID
    await scene.holds(0)
    assert await scene.auditor.orders_of(scene.customer.user_id) == [order_id]
    await scene.auditor.audit([order_id])


@pytest.mark.parametrize("death", MERGED, ids=str)
async def test_a_guests_cart_is_merged_once_through_a_death(scene: Scene, death: Death) -> None:
    stranger = await scene.market.stranger()
    guest = {"cart_id": shop.taken(await stranger.post(GUEST, {}))["cart_id"]}
    shop.taken(await stranger.post(f"{GUEST}/items", guest | {"sku": scene.tea.sku, "quantity": 2}))
    shop.taken(await stranger.http.put(f"{GUEST}/coupons/KEPT", json=guest))
    await scene.put(1)
    scene.trap(death)
    merging = asyncio.create_task(insist(lambda: scene.customer.post(f"{CART}/merge", guest)))
    await scene.through(death)

    await merging
    again = await insist(lambda: scene.customer.post(f"{CART}/merge", guest))
    assert (units(again), [one["code"] for one in again["coupons"]]) == ({scene.tea.sku: 3}, ["KEPT"])
    assert (await stranger.http.get(GUEST, params=guest)).status_code == 404


@pytest.mark.parametrize("death", TAKEN_OUT, ids=str)
async def test_a_confirmed_order_takes_out_what_was_ordered_once_through_a_death(scene: Scene, death: Death) -> None:
    await scene.put(3)
    scene.trap(death)
    order = await scene.customer.place(shop.basket((scene.tea, 2)))
    await scene.through(death)

    await scene.customer.settled(order["id"])
    await scene.holds(1)
    # What comes behind it on the same topic was handled too: nothing is taken out a second time.
    version = int((await scene.put(1))["version"])
    await scene.customer.settled(await scene.check_out(version))
    await scene.holds(0)
    assert len(await scene.auditor.orders_of(scene.customer.user_id)) == 2


@pytest.mark.parametrize("death", REMINDED, ids=str)
async def test_a_user_is_reminded_once_of_a_cart_through_a_death(scene: Scene, death: Death) -> None:
    wish = {"choices": [{"kind": "MARKETING", "channels": ["EMAIL"]}]}
    shop.taken(await scene.customer.http.put("/api/v1/notifications/preferences", json=wish))
    await scene.nobody_is_due()
    scene.trap(death)
    await scene.put(1)
    await scene.through(death)
    await scene.is_reminded(1)

    # The next reminder has the same key: whatever the death repeated was heard before it.
    await scene.put(2)
    await scene.is_reminded(2)
