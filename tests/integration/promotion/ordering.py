"""What the tests of redemptions share: promotions in a real database, and orders as the order service tells of them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.chassis import clock, database, errors, ids, kafka, money
from services.chassis.events import consumer, reader
from services.chassis.rpc import render
from services.promotion import events, usecases
from services.promotion.domain import promotions, quotes
from services.promotion.domain.promotions import Promotion
from souk.order.v1 import order_events_pb2

TOLD = database.Statement("SELECT type FROM outbox WHERE key = %(key)s ORDER BY id")
USES = database.Statement("SELECT uses FROM promotions WHERE id = %(id)s::uuid")


TEA, POT = "01890000-0000-7000-8000-0000000000aa", "01890000-0000-7000-8000-0000000000bb"
PRODUCTS = {TEA: "TEA", POT: "POT"}


class Shelf:
    """Stands where the catalog is: a port of the use cases, here with two SKUs."""

    async def prices(self, skus: Iterable[str]) -> Mapping[str, money.Money]:
        known = {"TEA": 500, "POT": 2000}
        return {sku: money.Money("USD", known[sku]) for sku in skus if sku in known}

    async def traits(self, skus: Iterable[str]) -> Mapping[str, quotes.Traits]:
        return {sku: quotes.Traits(f"product-of-{sku}", frozenset({"kitchen", sku.lower()})) for sku in skus}

    async def product_of(self, sku: str) -> str:
        if sku not in PRODUCTS.values():
            raise errors.precondition("SKU_UNKNOWN", "the SKU is not for sale", sku=sku)
        return next(product_id for product_id, has in PRODUCTS.items() if has == sku)

    async def regular_prices(self, product_id: str) -> Mapping[str, money.Money]:
        if product_id not in PRODUCTS:
            raise errors.not_found("PRODUCT_NOT_FOUND", "the product does not exist", product_id=product_id)
        return await self.prices([PRODUCTS[product_id]])


def using(db: database.Database) -> usecases.Promotions:
    return usecases.promotions(db, Shelf(), shop_zone="UTC", now=clock.utc_now)


def new_id() -> str:
    return ids.new_id(datetime.now(UTC))


async def made(uses: usecases.Promotions, **terms: Any) -> Promotion:
    """A promotion of 10 percent by itself, or with these terms."""
    chosen: dict[str, Any] = {"title": "Sale", "kind": promotions.Percentage(1000), "automatic": True, **terms}
    return await uses.administering.create(promotions.Draft(promotions.Terms(**chosen), "admin"))


def placed(order_id: str, promotion: Promotion, *, user_id: str = "", code: str = "") -> order_events_pb2.OrderPlaced:
    return order_events_pb2.OrderPlaced(
        order_id=order_id,
        user_id=user_id or new_id(),
        create_time=render.timestamp(datetime.now(UTC)),
        redemptions=[
            order_events_pb2.OrderPlaced.Redemption(
                promotion_id=promotion.id,
                promotion_version=promotion.version,
                code=code,
                discount=render.money_message(money.Money("USD", 50)),
            )
        ],
    )


def confirmed(order_id: str) -> order_events_pb2.OrderConfirmed:
    return order_events_pb2.OrderConfirmed(order_id=order_id, redeems=True)


def cancelled(order_id: str) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(order_id=order_id, redeems=True)


def record(message: Any, event_id: str = "") -> kafka.Record:
    headers = {"ce_id": event_id or new_id(), "ce_type": message.DESCRIPTOR.full_name}
    return kafka.Record("orders", message.order_id, message.SerializeToString(), headers, 0, 0)


async def deliver(db: database.Database, *records: kafka.Record) -> None:
    """Hand a batch to the consumer that the service has: one transaction, with inbox and outbox."""
    table = reader.Reader(events.subscribers(using(db)))
    await consumer.Deliverer(db, table, service="promotion", now=clock.utc_now).deliver(records)


async def told(db: database.Database, order_id: str) -> list[str]:
    return [row[0].rsplit(".", 1)[1] for row in await db.read(TOLD, {"key": order_id})]


async def uses_of(db: database.Database, promotion: Promotion) -> int:
    return int((await db.read(USES, {"id": promotion.id}))[0][0])
