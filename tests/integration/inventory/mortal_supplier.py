"""An inventory that sends, receives or ends goods and kills itself with SIGKILL at its commit, before it or behind it."""

import asyncio
import os

from services.inventory import events, usecases
from services.inventory.domain.supplies import Delivery, Draft, Kind
from tests.support import mortal

MODULE = "tests.integration.inventory.mortal_supplier"


def wanted(sku: str, request_id: str) -> Draft:
    """A transfer that the test and this process ask for in the same words."""
    return Draft(Kind.TRANSFER, "east", "west", {sku: 4}, None, "", "user:admin", request_id, b"same")


def arrived(transfer_id: str, request_id: str) -> Delivery:
    """A delivery that the test and this process tell of in the same words."""
    return Delivery(transfer_id, Kind.TRANSFER, {}, "user:admin", request_id, b"same")


async def _do() -> None:
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        supplying, request_id = usecases.inventory(db, hold_s=600).supplying, os.environ["REQUEST_ID"]
        match os.environ["DOING"]:
            case "send":
                await supplying.begin(wanted(os.environ["SKU"], request_id))
            case "receive":
                await supplying.receive(arrived(os.environ["TRANSFER_ID"], request_id))
            case "return":
                await supplying.end(Kind.TRANSFER, os.environ["TRANSFER_ID"], returned=True)


if __name__ == "__main__":
    asyncio.run(_do())
