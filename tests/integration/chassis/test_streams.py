"""Streams end with their server and with their caller's token, and their callers learn where to resume them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from services.chassis.errors import Code
from services.chassis.rpc import revocations, server
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from tests.support import calls, polling

USER = "01900000-0000-7000-8000-0000000000aa"
ORDER = "01900000-0000-7000-8000-000000000001"
_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer
DESCRIPTOR = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
ADD = order_service_pb2_grpc.add_OrderServiceServicer_to_server
# A drain that waited for a stream would take server.DRAIN_S: this is far from both, however busy the machine is.
QUICK_S = server.DRAIN_S / 4
# A revocation is known after a second and the streams are checked each second: this is far from both.
WITHIN_S = 15.0


class Orders(_ORDERS):  # type: ignore[misc]  # leaves most methods out, which its type forbids
    """Streams so many messages of so many bytes, and waits for ever then."""

    def __init__(self, messages: int, size: int = 1) -> None:
        self.messages = messages
        self.size = size
        self.ended = 0

    async def WatchOrder(self, _: Any, __: Any) -> AsyncIterator[order_pb2.OrderEvent]:
        try:
            for number in range(1, self.messages + 1):
                yield order_pb2.OrderEvent(sequence=number, reason="r" * self.size)
            await asyncio.Event().wait()
        finally:
            self.ended += 1

    async def GetOrder(self, request: Any, _: Any) -> order_pb2.Order:
        return order_pb2.Order(id=request.id)


async def drained(orders: Orders, *, streams: int, read: int, after: int = 0) -> tuple[float, list[Any]]:
    """How long a drain takes with so many open streams, of each of which some messages were read; and the streams."""
    async with calls.served(server.Servicer(DESCRIPTOR, ADD, orders), "order") as shop:
        # A channel of its own: the other one closes with the block, before the server drains.
        channel = grpc.aio.insecure_channel(shop.address)
        stub = order_service_pb2_grpc.OrderServiceStub(channel)
        request = order_service_pb2.WatchOrderRequest(id=ORDER, after_sequence=after)
        opened = [stub.WatchOrder(request, metadata=shop.as_user(USER)) for _ in range(streams)]
        for stream in opened:
            for _ in range(read):
                await stream.read()
        if not read:
            await stub.GetOrder(order_service_pb2.GetOrderRequest(id=ORDER), metadata=shop.as_user(USER))
        started = time.monotonic()
    return time.monotonic() - started, [channel, *opened]


@pytest.mark.parametrize("streams", [1, 200])
async def test_a_drain_with_open_streams_ends_them_resumably(streams: int) -> None:
    orders = Orders(3)
    took, [channel, *opened] = await drained(orders, streams=streams, read=3, after=5)
    assert took < QUICK_S
    for stream in opened:
        error = await calls.refused(stream.read())
        assert (error.code, error.reason) == (Code.UNAVAILABLE, "SERVER_DRAINING")
        assert error.metadata == {"after_sequence": "3"}
        assert error.retry_after_s
    assert orders.ended == streams, "what a stream holds is given back"
    await channel.close()


async def test_a_stream_that_sent_nothing_is_resumed_where_it_began() -> None:
    took, [channel, stream] = await drained(Orders(0), streams=1, read=0, after=7)
    assert took < QUICK_S
    assert (await calls.refused(stream.read())).metadata == {"after_sequence": "7"}
    await channel.close()


async def test_a_caller_that_does_not_read_does_not_hold_a_drain_up() -> None:
    orders = Orders(200, size=1_000_000)
    took, [channel, _] = await drained(orders, streams=1, read=1)
    assert took < QUICK_S
    assert orders.ended == 1
    await channel.close()


class SignOuts:
    """What the user service says was revoked: these sign-ins."""

    def __init__(self) -> None:
        self.signed_out: list[str] = []
        self.revoked = revocations.Revocations("order", self.answer)

    async def answer(self, _: datetime | None) -> revocations.News:
        later = time.time() + 60
        return revocations.News([revocations.Revocation(each, 0, later) for each in self.signed_out], datetime.now(UTC))


@asynccontextmanager
async def watched(orders: Orders) -> AsyncIterator[tuple[calls.Shop, Any, SignOuts]]:
    """A server with this servicer, its stub, and who signed out."""
    sign_outs = SignOuts()
    await sign_outs.revoked.start()
    try:
        async with calls.served(server.Servicer(DESCRIPTOR, ADD, orders), "order", revoked=sign_outs.revoked) as shop:
            yield shop, order_service_pb2_grpc.OrderServiceStub(shop.channel), sign_outs
    finally:
        await sign_outs.revoked.stop()


async def test_a_stream_ends_when_its_token_is_revoked_and_other_streams_go_on() -> None:
    orders = Orders(2)
    async with watched(orders) as (shop, stub, sign_outs):
        request = order_service_pb2.WatchOrderRequest(id=ORDER, after_sequence=7)
        tokens = [shop.token(USER, ("CUSTOMER",), sign_in=sign_in) for sign_in in ("lost", "kept")]
        lost, kept = [stub.WatchOrder(request, metadata=shop.as_token(token)) for token in tokens]
        for stream in (lost, kept):
            for sequence in (1, 2):
                assert (await stream.read()).sequence == sequence
        sign_outs.signed_out.append("lost")
        error = await asyncio.wait_for(calls.refused(lost.read()), WITHIN_S)
        assert (error.code, error.reason) == (Code.UNAUTHENTICATED, "TOKEN_REVOKED")
        assert error.metadata == {"after_sequence": "2"}, "it is resumed with a new token"
        assert orders.ended == 1
        assert not kept.done()


async def test_a_stream_ends_when_its_token_expires() -> None:
    async with watched(Orders(0)) as (shop, stub, _):
        request = order_service_pb2.WatchOrderRequest(id=ORDER, after_sequence=7)
        token = shop.token(USER, ("CUSTOMER",), lifetime_s=4)
        stream = stub.WatchOrder(request, metadata=shop.as_token(token))
        error = await asyncio.wait_for(calls.refused(stream.read()), WITHIN_S)
        assert (error.code, error.reason) == (Code.UNAUTHENTICATED, "TOKEN_EXPIRED")
        assert error.metadata == {"after_sequence": "7"}


async def test_a_stream_whose_caller_does_not_read_ends_with_its_token_too() -> None:
    orders = Orders(200, size=1_000_000)
    async with watched(orders) as (shop, stub, sign_outs):
        token = shop.token(USER, ("CUSTOMER",), sign_in="lost")
        stream = stub.WatchOrder(order_service_pb2.WatchOrderRequest(id=ORDER), metadata=shop.as_token(token))
        await stream.read()
        sign_outs.signed_out.append("lost")

        async def cut_off() -> bool:
            return orders.ended == 1

        await polling.eventually(cut_off, within_s=WITHIN_S)
