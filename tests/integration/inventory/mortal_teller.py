"""An inventory that reserves for an order, or tells of levels, and kills itself with SIGKILL at its commit."""

import asyncio
import os

from services.inventory import domain, events, usecases
from tests.support import mortal

MODULE = "tests.integration.inventory.mortal_teller"


async def _do() -> None:
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        stock = usecases.Stock(db, hold_s=600, levels_every_s=0)
        if order_id := os.environ.get("ORDER_ID"):
            async with db.transaction() as transaction:
                await stock.reserve(transaction, [domain.Want(order_id, {os.environ["SKU"]: 3})])
        await stock.tell_levels()


if __name__ == "__main__":
    asyncio.run(_do())
