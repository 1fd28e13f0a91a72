"""Every service is replaced while customers shop, by the drain that a rolling update relies on: no request fails."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from scripts.local import control, layout, plan, settings
from tests.faults import rolling
from tests.support import audit, shop, stack

SHOPPERS = 6
# The edge lets one user ask 200 times a minute.
PAUSE_S = 0.35
SETTLE_S = 40.0


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
        if now.get("status") == "CONFIRMED":
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


async def test_replacing_every_service_one_after_the_other_fails_no_request(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked, tmp_path: Path
) -> None:
    chosen = settings.read(layout.saved(stack.name()), os.environ, resume=True)
    shopping = Shopping(await market.product(stock=10_000))
    for name in plan.service_names(chosen):
        await asyncio.to_thread(stacked.stop, name)

    async with rolling.opened(chosen, tmp_path) as mesh:
        elsewhere = {**market.environment, "EDGE_URL": mesh.edge_url}
        async with shop.opened(elsewhere) as opened:
            customers = [(await opened.registered())[0] for _ in range(SHOPPERS)]
            async with busy(shopping, customers):
                codes = {service.name: await mesh.replace(service) for service in chosen.services}
            for order_id, customer in shopping.orders.items():
                await customer.settled(order_id, within_s=SETTLE_S)

    assert shopping.failures == []
    assert codes == dict.fromkeys(codes, 0)
    assert len(shopping.orders) >= SHOPPERS * len(codes)
    await auditor.audit(list(shopping.orders))


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
