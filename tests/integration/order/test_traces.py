"""Whose trace an event of an order carries: that of the call, or of the event, which caused it, in whatever batch it was."""

import asyncio
import secrets

from services.chassis import clock, database, erasure, kafka, tracing
from services.chassis.events import consumer, reader
from services.order import events
from souk.inventory.v1 import inventory_events_pb2
from tests.integration.order.ordering import PriceList, draft, new_id, using

# Of the calls that a load test makes, one in ten is sampled.
CALLS = 60


def new_trace(number: int) -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{'00' if number % 10 else '01'}"


async def carried(db: database.Database, kind: str) -> dict[str, str]:
    rows = await db.read(
        database.Statement("SELECT key, traceparent FROM outbox WHERE type LIKE %(kind)s"), {"kind": f"%.{kind}"}
    )
    return dict(rows)


async def test_each_order_and_what_follows_from_it_carries_its_own_trace(db: database.Database) -> None:
    orders = using(db, PriceList())

    async def call(traceparent: str) -> tuple[str, str]:
        tracing.enter(traceparent)
        return (await orders.accepting.create(draft(new_id()))).order.id, traceparent

    wanted = dict(await asyncio.gather(*(call(new_trace(number) if number else "") for number in range(CALLS))))

    assert await carried(db, "OrderPlaced") == wanted
    table = reader.Reader(events.subscribers(orders, erasure.Erasure(db, [])))
    deliverer = consumer.Deliverer(db, table, service="order", now=clock.utc_now)
    await deliverer.deliver([reserved(order_id, traceparent) for order_id, traceparent in wanted.items()])
    assert await carried(db, "PaymentRequested") == wanted


def reserved(order_id: str, traceparent: str) -> kafka.Record:
    message = inventory_events_pb2.StockReserved(order_id=order_id)
    headers = {"ce_id": new_id(), "ce_type": message.DESCRIPTOR.full_name, tracing.HEADER: traceparent}
    return kafka.Record("inventory", order_id, message.SerializeToString(), headers, 0, 0)
