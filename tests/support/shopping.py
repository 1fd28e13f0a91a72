"""Customers who shop while something happens: what they asked for, and how it was answered."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field

import httpx

from tests.support import shop

# The edge lets one user ask 200 times a minute.
PAUSE_S = 0.35


@dataclass(slots=True)
class Shopping:
    """What shoppers asked for and how it was answered. Nothing is repeated: a request that fails has failed."""

    product: shop.Product
    orders: dict[str, shop.Person] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    open: bool = True

    async def go_on(self, customer: shop.Person) -> None:
        """Order and look around until the shop closes."""
        looks = {
            "profile looked at": "/api/v1/users/me",
            "product looked at": f"/api/v1/products/{self.product.id}",
            "stock looked at": f"/api/v1/inventory/{self.product.sku}",
            "messages looked at": "/api/v1/notifications/history",
            "orders listed": "/api/v1/orders",
        }
        while self.open:
            order_id = await self._order(customer)
            for name, path in looks.items():
                await asyncio.sleep(PAUSE_S)
                await self._ask(name, customer.http.get(path))
            if order_id:
                await self._look_at_payment(customer, order_id)

    async def _order(self, customer: shop.Person) -> str:
        basket, key = shop.basket((self.product, 1)), shop.new_key()
        order = await self._ask("order placed", customer.post("/api/v1/orders", basket, key=key))
        if not order:
            return ""
        self.orders[order["id"]] = customer
        return str(order["id"])

    async def _look_at_payment(self, customer: shop.Person, order_id: str) -> None:
        """A confirmed order has a payment; before that, that there is none yet is a good answer too."""
        now = await self._ask("order looked at", customer.http.get(f"/api/v1/orders/{order_id}/status"))
        if now.get("status") in ("CONFIRMED", shop.PAID):
            await self._ask("payment looked at", customer.http.get(f"/api/v1/payments/{order_id}"))

    async def _ask(self, name: str, request: Awaitable[httpx.Response]) -> shop.Json:
        try:
            answer = await request
        except httpx.HTTPError as error:
            self.failures.append(f"{name}: {error!r}")
            return {}
        self.answers[name] += 1
        if not answer.is_success:
            self.failures.append(f"{name}: {answer.status_code} {answer.text}")
            return {}
        found: shop.Json = answer.json()
        return found


@contextlib.asynccontextmanager
async def busy(shopping: Shopping, customers: Sequence[shop.Person]) -> AsyncIterator[None]:
    """All these customers shop as long as the block lasts; what they ask is answered before it ends."""
    async with asyncio.TaskGroup() as group:
        for customer in customers:
            group.create_task(shopping.go_on(customer))
        try:
            yield
        finally:
            shopping.open = False
