"""A process that takes one step (DOES) of a return, or replies to orders, and kills itself with SIGKILL at one commit."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping

from services.order import domain, events
from services.order.domain import returns
from services.order.usecases import Orders
from tests.integration.order import ordering
from tests.support import mortal

MODULE = "tests.integration.order.mortal_desk"
STAFF = "user:admin"
FOUND = (returns.Finding("TEA", resell=1, scrap=0),)


def wish(order_id: str, request_id: str) -> returns.Wish:
    """One of two comes back: the test and this process ask in the same words."""
    lines = (returns.Line("TEA", 1, returns.Reason.CHANGED_MIND),)
    return returns.Wish(order_id, lines, request_id=request_id, fingerprint=b"same")


async def request(orders: Orders, order: domain.Order, request_id: str) -> returns.Return:
    """Ask for a return, as above."""
    return await orders.returning.request(
        wish(order.id, request_id), actor=f"user:{order.user_id}", owner_id=order.user_id
    )


async def exchange(orders: Orders, return_id: str, user_id: str) -> domain.Placed:
    """Order the same again for what comes back, as above."""
    return await orders.returning.exchange(return_id, ordering.draft(user_id))


STEPS: Mapping[str, Callable[[Orders, str], Awaitable[object]]] = {
    "approve": lambda orders, back: orders.returning.approve(back, actor=STAFF),
    "reject": lambda orders, back: orders.returning.reject(back, "worn", actor=STAFF),
    "receive": lambda orders, back: orders.returning.receive(back, "main", actor=STAFF),
    "inspect": lambda orders, back: orders.returning.inspect(back, FOUND, actor=STAFF),
}


async def _do() -> None:
    environ = os.environ
    async with mortal.opened_to_die(events.PUBLISHED) as db:
        orders = ordering.using(db, ordering.PriceList())
        match environ["DOES"]:
            case "request":
                placed = await orders.reading.get(environ["ORDER_ID"], owner_id=None)
                await request(orders, placed.order, environ["REQUEST_ID"])
            case "exchange":
                await exchange(orders, environ["RETURN_ID"], environ["USER_ID"])
            case step:
                await STEPS[step](orders, environ["RETURN_ID"])


if __name__ == "__main__":
    asyncio.run(_do())
