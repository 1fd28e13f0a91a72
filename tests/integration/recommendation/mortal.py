"""A recommendation that makes its model anew and kills itself at one line of it (DIE_AT), with what there is to read in SHOP."""

import asyncio
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.chassis import clock
from services.recommendation import domain, events, store
from services.recommendation.store import counts
from services.recommendation.usecases import building
from tests.integration.recommendation.conftest import Shop
from tests.support import mortal

READING = "reading"  # a page of products is committed, and the next one is asked for
WRITTEN = "written"  # a page of products is written, and nothing of it is committed
STOCKED = "stocked"  # a page of stock is written, and nothing of it is committed
COUNTED = "counted"  # a page of orders is counted, and nothing of it is committed
SWITCHED = "switched"  # the new slot is read, and nothing of it is committed
POINTS = (READING, WRITTEN, STOCKED, COUNTED, SWITCHED)
# After which function of which room.
WRITES = {WRITTEN: (store, "put_products"), STOCKED: (store, "put_levels"), COUNTED: (counts, "add")}


class MortalShop(Shop):
    """Dies when it is asked for the second page."""

    async def products_after(self, product_id: str) -> Sequence[domain.Product]:
        if product_id and os.environ["DIE_AT"] == READING:
            mortal.die()
        return await super().products_after(product_id)


def _mortally(room: Any, name: str) -> None:
    """Let this function be the last one that the process comes to: it dies before the commit."""
    write = getattr(room, name)

    async def written(*given: Any, **named: Any) -> None:
        await write(*given, **named)
        reached = given[1]
        if os.environ["DIE_AT"] != SWITCHED or reached.stage == store.READY:
            mortal.die()

    setattr(room, name, written)


async def _build(products: list[domain.Product], levels: list[domain.Level]) -> None:
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        shop = MortalShop(products, levels)
        builder = building.Building(db, shop, shop, now=clock.utc_now)
        while await builder.build():
            pass


if __name__ == "__main__":
    if os.environ["DIE_AT"] != READING:
        _mortally(*WRITES.get(os.environ["DIE_AT"], (store, "put_model")))
    # Written by the test that runs this.
    asyncio.run(_build(*pickle.loads(Path(os.environ["SHOP"]).read_bytes())))  # noqa: S301
