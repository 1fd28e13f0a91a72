"""A search that builds an index and kills itself at one line of it (DIE_AT), with what there is to read in a file (SHOP)."""

import asyncio
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.search import domain, events, store, usecases
from tests.integration.search.conftest import Shop
from tests.support import mortal

READING = "reading"  # a page is committed, and the next one is asked for
WRITTEN = "written"  # a page of products is written, and nothing of it is committed
STOCKED = "stocked"  # a page of stock is written, and nothing of it is committed
SWITCHED = "switched"  # the new index is active, and nothing of it is committed
POINTS = (READING, WRITTEN, STOCKED, SWITCHED)
# After which function of the store.
WRITES = {WRITTEN: "put_products", STOCKED: "put_levels", SWITCHED: "switch"}


class MortalShop(Shop):
    """Dies when it is asked for the second page."""

    async def products_after(self, product_id: str) -> Sequence[domain.Product]:
        if product_id and os.environ["DIE_AT"] == READING:
            mortal.die()
        return await super().products_after(product_id)


def _mortally(name: str) -> None:
    """Let this function of the store be the last one that the process comes to: it dies before the commit."""
    write = getattr(store, name)

    async def written(*given: Any, **named: Any) -> None:
        await write(*given, **named)
        mortal.die()

    setattr(store, name, written)


async def _build(products: list[domain.Product], levels: list[domain.Level]) -> None:
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        shop = MortalShop(products, levels)
        index = usecases.Index(db, shop, shop)
        while await index.build():
            pass


if __name__ == "__main__":
    if function := WRITES.get(os.environ["DIE_AT"]):
        _mortally(function)
    # Written by the test that runs this.
    asyncio.run(_build(*pickle.loads(Path(os.environ["SHOP"]).read_bytes())))  # noqa: S301
