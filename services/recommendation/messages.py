"""Recommendation's values and messages of the contract: `basket` parses an order, `of_recommended` renders an answer."""

from collections.abc import Iterable

from services.chassis import ids
from services.chassis.rpc import render
from services.recommendation import domain
from souk.catalog.v1 import catalog_events_pb2, product_pb2
from souk.inventory.v1 import inventory_events_pb2, stock_pb2
from souk.order.v1 import order_events_pb2
from souk.recommendation.v1 import recommendation_pb2

_REASON = recommendation_pb2.Recommendation.Reason


def basket(message: order_events_pb2.OrderConfirmed) -> domain.Basket | None:
    """A confirmed order; None when it has no lines."""
    if not message.lines:
        return None
    return domain.Basket(
        order_id=ids.canonical(message.order_id),
        user_id=ids.canonical(message.user_id),
        time=render.moment(message.confirm_time),
        skus=tuple(line.sku for line in message.lines),
    )


def changed(message: catalog_events_pb2.ProductChanged) -> domain.Product:
    return product(message.product)


def product(message: product_pb2.Product) -> domain.Product:
    images = (*message.images, *(image.url for image in message.gallery))
    variants = [domain.Variant(each.sku, render.money_value(each.price)) for each in message.variants]
    return domain.Product(
        id=ids.canonical(message.id),
        version=message.version,
        skus=tuple(variant.sku for variant in variants),
        title=message.title,
        category=message.category,
        image=images[0] if images else "",
        price=domain.lowest(variants),
        featured=message.featured,
        create_time=render.moment(message.create_time),
        deleted=message.HasField("delete_time"),
    )


def deleted(message: catalog_events_pb2.ProductDeleted) -> domain.Product:
    return domain.Product(ids.canonical(message.product_id), message.version, tuple(message.skus), deleted=True)


def level_changed(message: inventory_events_pb2.StockLevelChanged) -> domain.Level:
    return level(message.level)


def level(message: stock_pb2.StockLevel) -> domain.Level:
    return domain.Level(message.sku, message.warehouse, message.available)


def of_recommended(found: Iterable[domain.Recommended]) -> list[recommendation_pb2.Recommendation]:
    return [
        recommendation_pb2.Recommendation(
            product_id=each.card.id,
            title=each.card.title,
            category=each.card.category,
            image=each.card.image,
            price_from=render.money_message(each.card.price),
            reason=_REASON.Value(each.reason),
            because_of=each.because_of,
        )
        for each in found
    ]


def of_state(state: domain.ModelState) -> recommendation_pb2.Model:
    states = recommendation_pb2.Model
    return recommendation_pb2.Model(
        state=states.REBUILDING if state.building else states.READY,
        products=state.products,
        orders=state.orders,
        waiting_orders=state.waiting,
        orders_recounted=state.recounted,
        since=render.timestamp(state.since),
    )
