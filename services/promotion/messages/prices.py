"""Promotional prices as administrators say and see them, and as the catalog is told of them."""

from services.chassis import idempotency
from services.chassis.rpc import render
from services.promotion.domain import prices, promotions
from souk.promotion.v1 import promotion_events_pb2, promotion_service_pb2, promotional_price_pb2


def price_sent(request: promotion_service_pb2.CreatePromotionalPriceRequest, actor: str) -> prices.Draft:
    """The promotional price in a request. Raises MONEY_INVALID, which names the field."""
    window = promotions.Window(request.start_local, request.end_local, request.time_zone)
    return prices.Draft(
        product_id=request.product_id.lower(),
        sku=request.sku,
        terms=prices.Terms(render.money_sent("price", request.price), request.title, window),
        actor=actor,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request),
    )


def of_price(price: prices.PromotionalPrice) -> promotional_price_pb2.PromotionalPrice:
    return promotional_price_pb2.PromotionalPrice(
        id=price.id,
        product_id=price.product_id,
        sku=price.sku,
        price=render.money_message(price.terms.price),
        title=price.terms.title,
        start_local=price.terms.window.start_local,
        end_local=price.terms.window.end_local,
        time_zone=price.terms.window.time_zone,
        start_time=render.timestamp(price.start_time),
        end_time=render.timestamp(price.end_time) if price.end_time else None,
        create_time=render.timestamp(price.create_time),
        version=price.version,
    )


def of_scheduled(fact: prices.PromotionalPriceScheduled) -> promotion_events_pb2.PromotionalPriceScheduled:
    told = of_price(fact.price)
    return promotion_events_pb2.PromotionalPriceScheduled(product_id=told.product_id, promotional_price=told)


def of_withdrawn(fact: prices.PromotionalPriceWithdrawn) -> promotion_events_pb2.PromotionalPriceWithdrawn:
    told = of_price(fact.price)
    return promotion_events_pb2.PromotionalPriceWithdrawn(product_id=told.product_id, promotional_price=told)
