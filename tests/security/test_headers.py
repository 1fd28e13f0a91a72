"""Whatever a caller's headers hold, a service answers in its own words and its log holds no stack of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
import pytest_asyncio
from h2 import config, connection, events

from services.chassis import logs
from services.chassis.rpc import identity, server
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from tests.support import calls

USER = "01900000-0000-7000-8000-0000000000aa"
DESCRIPTOR = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer
GET = order_service_pb2.GetOrderRequest(id=USER).SerializeToString()
OK, UNAUTHENTICATED = b"0", b"16"
SEEN: list[str] = []
Header = tuple[bytes, bytes]


class Orders(_ORDERS):  # type: ignore[misc]  # leaves most methods out
    """Answers, and remembers what a call is called in the log."""

    async def GetOrder(self, request: Any, _: Any) -> order_pb2.Order:
        SEEN.append(logs.context.get()["request_id"])
        return order_pb2.Order(id=request.id)


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[calls.Shop]:
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(DESCRIPTOR, add, Orders()), "order") as running:
        yield running


async def answered(address: str, headers: Iterable[Header]) -> dict[bytes, bytes]:
    """The headers and trailers that GetOrder is answered with, sent as bytes that no client library would send."""
    settings = config.H2Configuration(header_encoding=None, validate_outbound_headers=False)
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    talk = connection.H2Connection(settings)
    talk.initiate_connection()
    required = {b":method": b"POST", b":scheme": b"http", b":path": f"/{DESCRIPTOR.full_name}/GetOrder".encode()}
    required |= {b":authority": b"x", b"te": b"trailers", b"content-type": b"application/grpc"}
    talk.send_headers(1, [*required.items(), *headers])
    talk.send_data(1, b"\0" + len(GET).to_bytes(4, "big") + GET, end_stream=True)
    writer.write(talk.data_to_send())
    found: dict[bytes, bytes] = {}
    async with asyncio.timeout(10):
        while data := await reader.read(65536):
            for event in talk.receive_data(data):
                if isinstance(event, events.ResponseReceived | events.TrailersReceived):
                    found |= dict(event.headers)
                if isinstance(event, events.StreamEnded | events.StreamReset):
                    writer.close()
                    return found
            writer.write(talk.data_to_send())
    raise AssertionError("no answer")


MESH = identity.MESH_HEADER.encode()
NAMES = (
    b"x-request-id",
    b"idempotency-key",
    b"traceparent",
    b"tracestate",
    b"authorization",
    MESH,
    b"user-agent",
    b"x",
)
VALUES = (
    b"\xff\xfe",
    "\N{LATIN SMALL LETTER E WITH ACUTE}".encode(),
    "\N{FOX FACE}".encode(),
    b"",
    b"\x7f",
    b"Bearer \xff",
    b"Bearer a.b.c",
    b"Bearer \xc3\xa9.\xc3\xa9.\xc3\xa9",
    b"01" * 3000,
)


@pytest.mark.parametrize("name", NAMES)
async def test_no_header_makes_a_stack_in_the_log_or_a_defect(
    shop: calls.Shop, name: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    [(_, token)] = shop.as_user(USER)
    good = [] if name == b"authorization" else [(b"authorization", token.encode())]
    for value in VALUES:
        found = await answered(shop.address, [*good, (name, value)])
        assert found[b"grpc-status"] in {OK, UNAUTHENTICATED}, (value, found)
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


async def test_a_callers_request_id_that_is_not_text_is_replaced_so_that_calls_go_on(shop: calls.Shop) -> None:
    """It is passed to other services, and gRPC refuses to send what is not ASCII."""
    [(_, token)] = shop.as_user(USER)
    for value in (b"\xff", "\N{FOX FACE}".encode(), b"a\tb"):
        await answered(shop.address, [(b"authorization", token.encode()), (b"x-request-id", value)])
    assert SEEN
    assert all(seen.isascii() and seen.isprintable() for seen in SEEN)
