"""What the tests of promotional prices share: a schedule as promotion tells of it, and the catalog that hears it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.catalog import domain, events, usecases
from services.chassis import clock, database, ids, kafka, money
from services.chassis.events import consumer, reader
from services.chassis.rpc import render
from souk.promotion.v1 import promotion_events_pb2, promotional_price_pb2

HISTORY = database.Statement("SELECT price, promotional FROM price_history WHERE sku = %(sku)s ORDER BY id")
TOLD = database.Statement("SELECT sequence, payload FROM outbox WHERE key = %(id)s ORDER BY id")


def price(product: domain.Product, cents: int, **said: Any) -> promotional_price_pb2.PromotionalPrice:
    """A promotional price of all SKUs since a minute ago, for an hour, in euros; or as it is said."""
    now = datetime.now(UTC)
    fields: dict[str, Any] = {"id": ids.new_id(now), "version": 1, "currency": "EUR", "sku": ""} | said
    start, end = now + said.get("start", timedelta(minutes=-1)), said.get("end", timedelta(hours=1))
    return promotional_price_pb2.PromotionalPrice(
        id=fields["id"],
        product_id=product.id,
        sku=fields["sku"],
        price=render.money_message(money.Money(fields["currency"], cents)),
        start_time=render.timestamp(start),
        end_time=render.timestamp(now + end) if end else None,
        version=fields["version"],
    )


def scheduled(told: promotional_price_pb2.PromotionalPrice) -> kafka.Record:
    return _record(promotion_events_pb2.PromotionalPriceScheduled(product_id=told.product_id, promotional_price=told))


def withdrawn(told: promotional_price_pb2.PromotionalPrice) -> kafka.Record:
    """The same price, ended by hand just now."""
    ended = promotional_price_pb2.PromotionalPrice()
    ended.CopyFrom(told)
    ended.version = 2
    ended.end_time.CopyFrom(render.timestamp(datetime.now(UTC)))
    return _record(promotion_events_pb2.PromotionalPriceWithdrawn(product_id=told.product_id, promotional_price=ended))


def _record(message: Any) -> kafka.Record:
    headers = {"ce_id": ids.new_id(datetime.now(UTC)), "ce_type": message.DESCRIPTOR.full_name}
    return kafka.Record("promotions", message.product_id, message.SerializeToString(), headers, 0, 0)


async def hear(db: database.Database, catalog: usecases.Catalog, *records: kafka.Record) -> None:
    """Hand a batch to the consumer that the catalog has."""
    table = reader.Reader(events.subscribers(catalog))
    await consumer.Deliverer(db, table, service=usecases.SERVICE, now=clock.utc_now).deliver(records)


async def charged(db: database.Database, sku: str) -> list[tuple[int, bool]]:
    """All that the SKU ever cost, and whether that was a promotional price."""
    return [(row[0], row[1]) for row in await db.read(HISTORY, {"sku": sku})]
