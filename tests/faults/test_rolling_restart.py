"""Every service is replaced while customers shop, by the drain that a rolling update relies on: no request fails."""

import asyncio
import os
from pathlib import Path

from scripts.stack import control, layout, plan, settings
from tests.faults import rolling
from tests.support import audit, shop, shopping, stack

SHOPPERS = 6
SETTLE_S = 40.0


async def test_replacing_every_service_one_after_the_other_fails_no_request(
    market: shop.Shop, auditor: audit.Auditor, stacked: control.Stacked, tmp_path: Path
) -> None:
    chosen = settings.read(layout.saved(stack.name()), os.environ, resume=True)
    tour = shopping.Shopping(await market.product(stock=10_000))
    for name in plan.service_names(chosen):
        await asyncio.to_thread(stacked.stop, name)

    async with rolling.opened(chosen, tmp_path) as mesh:
        elsewhere = {**market.environment, "EDGE_URL": mesh.edge_url}
        async with shop.opened(elsewhere) as opened:
            customers = [(await opened.registered())[0] for _ in range(SHOPPERS)]
            async with shopping.busy(tour, customers):
                codes = {service.name: await mesh.replace(service) for service in chosen.services}
            for order_id, customer in tour.orders.items():
                await customer.settled(order_id, within_s=SETTLE_S)

    assert tour.failures == []
    assert codes == dict.fromkeys(codes, 0)
    assert len(tour.orders) >= SHOPPERS * len(codes)
    await auditor.audit(list(tour.orders))
