"""A process that numbers what documents are due and kills itself with SIGKILL at one commit, before it or behind it."""

import asyncio

from services.order import events
from tests.integration.order import ordering
from tests.support import mortal

MODULE = "tests.integration.order.mortal_clerk"


async def _do() -> None:
    async with mortal.opened_to_die(events.PUBLISHED) as db:
        await ordering.using(db, ordering.PriceList()).invoicing.issue()


if __name__ == "__main__":
    asyncio.run(_do())
