"""Whom the order service asks: the catalog for prices, promotion for discounts, shipping for its rates.

Answers are domain values.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from cachetools import TTLCache

from services import tariff, tariff_table
from services.chassis import errors, money, remembered
from services.chassis.rpc import client, render, status
from services.order import domain
from services.order.domain import totals
from services.order.usecases import discounting
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2
from souk.promotion.v1 import promotion_pb2, promotion_service_pb2, promotion_service_pb2_grpc
from souk.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
PROMOTION = promotion_service_pb2.DESCRIPTOR.services_by_name["PromotionService"]
SHIPPING = shipping_service_pb2.DESCRIPTOR.services_by_name["ShippingService"]
# SKUs whose price is remembered, and how many the catalog is asked for in one call.
REMEMBERED = 20_000
SKUS_A_CALL = 2_000
# How long promotion may take to say whether any promotion is automatic, and shipping to give its rates, in seconds.
PATIENCE_S = 1.0


class Catalog:
    """Prices, remembered for a moment: a busy shop asks for the same ones again and again."""

    def __init__(self, peer: client.Peer, *, age_s: float) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)
        self._known: TTLCache[str, domain.Offer] = TTLCache(maxsize=REMEMBERED, ttl=age_s)

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        """What these SKUs cost, as it was at most the remembered age ago. Raises TransientError when nobody answers."""
        found: dict[str, domain.Offer] = {}
        unknown = []
        for sku in skus:
            offer = self._known.get(sku)
            if offer:
                found[sku] = offer
            else:
                unknown.append(sku)
        for start in range(0, len(unknown), SKUS_A_CALL):
            found |= await self._ask(unknown[start : start + SKUS_A_CALL])
        return found

    async def _ask(self, skus: list[str]) -> dict[str, domain.Offer]:
        answer = await self._peer.call(self._stub.BatchGetOffers, catalog_service_pb2.BatchGetOffersRequest(skus=skus))
        fresh = {offer.sku: _offer(offer) for offer in answer.offers}
        self._known.update(fresh)
        return fresh


class Promotions:
    """Promotions. Whether one is automatic is remembered for age_s seconds, and for as long as nobody answers."""

    def __init__(self, peer: client.Peer, *, age_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._peer = peer
        self._stub = promotion_service_pb2_grpc.PromotionServiceStub(peer.channel)
        terms = remembered.Terms("promotion", age_s, clock)
        self._automatic = remembered.Remembered(self._ask_automatic, terms)

    async def any_automatic(self) -> bool:
        """Whether a promotion that needs no code can apply. Raises TransientError when nobody ever answered."""
        return await self._automatic.get()

    async def _ask_automatic(self) -> bool:
        request = promotion_service_pb2.HasAutomaticRequest()
        return bool((await self._peer.call(self._stub.HasAutomatic, request, timeout_s=PATIENCE_S)).any)

    async def discounted(self, questions: Sequence[discounting.Question]) -> list[totals.Shipped | errors.DomainError]:
        """The orders with their discounts, and with what became of the codes; or why one of them has none.

        Raises TransientError, or a DomainError for all of them.
        """
        request = promotion_service_pb2.BatchQuoteOrdersRequest(orders=[_asked(question) for question in questions])
        answer = await self._peer.call(self._stub.BatchQuoteOrders, request)
        return [_discounted(question.order, quote) for question, quote in zip(questions, answer.quotes, strict=True)]


class Shipping:
    """What shipping costs, by its table of rates, which is remembered for age_s seconds, and for as long as nobody answers.

    So an order asks nobody, and is accepted while shipping is away: at the rates that its customer was quoted.
    """

    def __init__(self, peer: client.Peer, *, age_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._peer = peer
        self._stub = shipping_service_pb2_grpc.ShippingServiceStub(peer.channel)
        terms = remembered.Terms("shipping", age_s, clock)
        self._tariff = remembered.Remembered(self._ask, terms)
        self._known = tariff.Tariff(tariff.Table())

    async def costs(self, parcels: Sequence[domain.Parcel]) -> Sequence[money.Money | None]:
        """What it costs to ship each of these; None for what is not shipped so. Raises TransientError if nobody ever answered."""
        if not parcels:
            return []
        rates = await self._tariff.get()
        return [_cost(rates, parcel) for parcel in parcels]

    async def _ask(self) -> tariff.Tariff:
        request = shipping_service_pb2.GetRateTableRequest()
        answer = await self._peer.call(self._stub.GetRateTable, request, timeout_s=PATIENCE_S)
        # A table that did not change is not made anew.
        if answer.version != self._known.table.version:
            self._known = tariff.Tariff(tariff_table.parse(answer))
        return self._known


def _cost(rates: tariff.Tariff, parcel: domain.Parcel) -> money.Money | None:
    place = (parcel.address.country, parcel.address.region)
    return rates.cost(place, parcel.price, rates.grams(parcel.sent.packages), parcel.sent.service_level)


def _offer(offer: product_pb2.Offer) -> domain.Offer:
    price, packed = render.money_value(offer.price), tariff_table.package(offer)
    return domain.Offer(offer.sku, offer.title, price, offer.tax_class, offer.vendor_id, packed)


def _coupon(result: promotion_service_pb2.QuoteResponse.CodeResult) -> domain.Coupon:
    refusal = "" if result.applied else promotion_pb2.Refusal.Name(result.refusal)
    return domain.Coupon(result.code, refusal, result.message)


def _asked(question: discounting.Question) -> promotion_service_pb2.BatchQuoteOrdersRequest.Order:
    order = promotion_service_pb2.BatchQuoteOrdersRequest.Order
    return order(
        items=[
            order.Item(sku=line.sku, quantity=line.quantity, unit_price=render.money_message(line.unit_price))
            for line in question.order.parcel.lines
        ],
        codes=question.codes,
        first_order=question.first_order,
        shipping=render.money_message(question.order.shipping) if question.order.shipping else None,
        user_id=question.user_id,
    )


def _discounted(
    order: totals.Shipped, quote: promotion_service_pb2.BatchQuoteOrdersResponse.Quote
) -> totals.Shipped | errors.DomainError:
    if quote.HasField("error"):
        return status.error_of(quote.error)
    discounts = tuple(_discount(one) for one in quote.discounts)
    return replace(order, discounts=discounts, coupons=tuple(_coupon(code) for code in quote.codes))


def _discount(one: promotion_service_pb2.BatchQuoteOrdersResponse.Quote.Discount) -> domain.Discount:
    return domain.Discount(
        promotion_id=one.promotion_id,
        title=one.title,
        code=one.code,
        lines={line.sku: render.money_value(line.amount).amount for line in one.lines},
        shipping=render.money_value(one.shipping).amount if one.HasField("shipping") else 0,
        claims=one.redeems_version,
    )
