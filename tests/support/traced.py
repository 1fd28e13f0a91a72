"""A process that serves, asks itself a question, and handles the event that this caused, with traces on.

    python -m tests.support.traced DATABASE_URL OTLP_ENDPOINT TRACEPARENT

One call with the given `traceparent` runs a query and emits an event, one without it does the same unseen; the event's record
is then delivered to a consumer. Ends when all spans were sent.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from opentelemetry import trace

from services.chassis import clock, database, kafka, tracing
from services.chassis.events import consumer, reader
from services.chassis.outbox import outbox
from services.chassis.rpc import server
from souk.order.v1 import order_events_pb2, order_pb2, order_service_pb2, order_service_pb2_grpc
from tests.support import calls

ORDER = "01900000-0000-7000-8000-000000000001"
DESCRIPTOR = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
_SERVICER: Any = order_service_pb2_grpc.OrderServiceServicer


class Happened:
    """What the call tells."""


def _message(_: Happened) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(order_id=ORDER)


class Orders(_SERVICER):  # type: ignore[misc]  # leaves most methods out
    """Answers from the database, and tells of it."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def GetOrder(self, request: Any, _: Any) -> order_pb2.Order:
        """Query and emit in one transaction."""
        async with self._db.transaction() as transaction:
            await transaction.run(database.Statement("SELECT 1"))
            transaction.emit([Happened()])
        return order_pb2.Order(id=request.id)


async def _handle(transaction: database.Transaction, _: Sequence[Any]) -> None:
    await transaction.run(database.Statement("SELECT 2"))


async def main(database_url: str, endpoint: str, traceparent: str) -> None:
    """Play the part."""
    tracing.configure("traced", endpoint, ratio=0.0)
    publications: outbox.Publications = {Happened: outbox.Publication("orders", lambda _: ORDER, _message)}
    db = database.Database(database_url, outbox.Outbox(publications, clock.utc_now, lambda: None))
    await db.start()
    servicer = server.Servicer(DESCRIPTOR, order_service_pb2_grpc.add_OrderServiceServicer_to_server, Orders(db))
    async with calls.served(servicer, "order", extras=server.Extras(traced=True)) as shop:
        stub = order_service_pb2_grpc.OrderServiceStub(shop.channel)
        metadata = (*shop.as_user(ORDER), ("traceparent", traceparent))
        await stub.GetOrder(order_service_pb2.GetOrderRequest(id=ORDER), metadata=metadata)
        await stub.GetOrder(order_service_pb2.GetOrderRequest(id=ORDER), metadata=shop.as_user(ORDER))
    [(event_id, kind, parent, payload), *_] = await db.read(
        database.Statement("SELECT event_id, type, traceparent, payload FROM outbox ORDER BY id")
    )
    headers = {"ce_id": event_id, "ce_type": kind, "traceparent": parent}
    table = reader.Reader({order_events_pb2.OrderCancelled: reader.Subscriber(lambda message: message, _handle)})
    deliverer = consumer.Deliverer(db, table, service="traced", now=clock.utc_now)
    await deliverer.deliver([kafka.Record("orders", ORDER, payload, headers, 0, 0)])
    await db.stop()
    provider: Any = trace.get_tracer_provider()
    provider.shutdown()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
