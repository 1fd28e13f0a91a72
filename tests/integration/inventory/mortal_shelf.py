"""An inventory that adjusts stock and kills itself with SIGKILL at its commit, before it or behind it."""

import asyncio
import os

from services.inventory import domain, events, usecases
from tests.support import mortal

MODULE = "tests.integration.inventory.mortal_shelf"


def wanted(sku: str, request_id: str) -> domain.Adjustment:
    """An adjustment that the test and this process ask for in the same words."""
    return domain.Adjustment(domain.Place(sku, "east"), -2, "damaged", "user:admin", request_id, b"same")


async def _do() -> None:
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        await usecases.Stock(db, hold_s=600).adjust(wanted(os.environ["SKU"], os.environ["REQUEST_ID"]))


if __name__ == "__main__":
    asyncio.run(_do())
