"""A promotion service that handles the event of an order and kills itself with SIGKILL at its commit."""

import asyncio
import base64
import os

from services.chassis import kafka
from services.promotion import events
from tests.integration.promotion import ordering
from tests.support import mortal

MODULE = "tests.integration.promotion.mortal_till"


async def _do() -> None:
    headers = {"ce_id": os.environ["EVENT_ID"], "ce_type": os.environ["EVENT_TYPE"]}
    payload = base64.b64decode(os.environ["EVENT"])
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        await ordering.deliver(db, kafka.Record("orders", os.environ["ORDER_ID"], payload, headers, 0, 0))


if __name__ == "__main__":
    asyncio.run(_do())
