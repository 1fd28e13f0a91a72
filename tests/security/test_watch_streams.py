"""Somebody opens streams without end: they get so many and no more, with a reason, and other customers notice nothing."""

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc

from services.chassis import errors
from souk.order.v1 import order_service_pb2
from souk.order.v1.order_service_pb2_grpc import OrderServiceStub
from tests.support import calls, shop
from tests.support.through_edge import environment, market

__all__ = ["environment", "market"]

# As services/order/settings.py has it.
OF_ONE_CALLER = 10
TRIED = 30


async def test_one_caller_gets_so_many_streams_and_others_notice_nothing(
    market: shop.Shop, environment: Mapping[str, str]
) -> None:
    greedy, other, tea = await market.customer(), await market.customer(), await market.product(stock=50)
    # Nobody has paid for them: their sagas wait, and so do their streams.
    order = await greedy.place(shop.basket((tea, 1), card=""))
    theirs = await other.place(shop.basket((tea, 1)))
    request = order_service_pb2.WatchOrderRequest(id=order["id"])
    # The order service's own address: the edge would refuse earlier, by the rate of calls.
    async with grpc.aio.insecure_channel(environment["ORDER_ADDR"]) as channel:
        metadata = (("authorization", f"Bearer {greedy.token}"),)
        streams = [OrderServiceStub(channel).WatchOrder(request, metadata=metadata) for _ in range(TRIED)]
        first = await asyncio.gather(*(_first(stream) for stream in streams))
        refused = [found for found in first if isinstance(found, errors.DomainError)]
        assert len(first) - len(refused) == OF_ONE_CALLER
        for error in refused:
            assert (error.code, error.reason) == (errors.Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
            assert error.metadata == {"limit": str(OF_ONE_CALLER), "scope": "caller"}
            assert error.retry_after_s
        assert (await other.settled(theirs["id"]))["status"] == shop.PAID
        for stream in streams:
            stream.cancel()
    await greedy.cancel(order["id"])


async def _first(stream: Any) -> Any:
    """The first message of a stream, or why there is none."""
    try:
        return await asyncio.wait_for(stream.read(), 30)
    except grpc.aio.AioRpcError:
        return await calls.refused(stream.read())
