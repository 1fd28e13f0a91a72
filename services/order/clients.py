"""Whom the order service asks: the catalog for prices, promotion for discounts, the shop's table for shipping.

Answers are domain values.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from cachetools import TTLCache

from services.chassis import errors, money, tasks
from services.chassis.rpc import client, render, status
from services.order import domain
from services.order.domain import rates, totals
from services.order.usecases import discounting
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2
from souk.promotion.v1 import promotion_pb2, promotion_service_pb2, promotion_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
PROMOTION = promotion_service_pb2.DESCRIPTOR.services_by_name["PromotionService"]
_LOG = logging.getLogger(__name__)
# SKUs whose price is remembered, and how many the catalog is asked for in one call.
REMEMBERED = 20_000
SKUS_A_CALL = 2_000
# How long promotion may take to say whether any promotion is automatic, in seconds.
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
    """Promotions. Whether one is automatic is remembered for age_s seconds, and for as long as nobody answers.

    An answer that is older is asked for again beside the orders that still use it; orders wait for a new one only when
    the last is older than twice age_s, as after a quiet spell. So a promotion applies at most that long after it was made.
    """

    def __init__(self, peer: client.Peer, *, age_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._peer = peer
        self._stub = promotion_service_pb2_grpc.PromotionServiceStub(peer.channel)
        self._age_s = age_s
        self._clock = clock
        self._automatic: bool | None = None
        self._answered = self._failed = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def any_automatic(self) -> bool:
        """Whether a promotion that needs no code can apply. Raises TransientError when nobody ever answered."""
        if self._automatic is None:
            try:
                return await self._ask_automatic()
            except errors.DomainError as error:
                raise errors.TransientError(f"promotion: {error}") from error
        now = self._clock()
        old = now - self._answered
        if old > self._age_s and now - self._failed > self._age_s:
            if self._asking is None or self._asking.done():
                self._asking = tasks.spawn(self._ask_again(), name="order-promotions")
            if old > 2 * self._age_s:
                # Others wait for the same answer: an order that stops waiting does not stop it.
                await asyncio.shield(self._asking)
        return self._automatic

    async def _ask_again(self) -> None:
        try:
            await self._ask_automatic()
        except (errors.TransientError, errors.DomainError, TimeoutError) as error:
            self._failed = self._clock()
            _LOG.warning("promotion is away: its last answer is used", extra={"cause": str(error)})

    async def _ask_automatic(self) -> bool:
        request = promotion_service_pb2.HasAutomaticRequest()
        self._automatic = bool((await self._peer.call(self._stub.HasAutomatic, request, timeout_s=PATIENCE_S)).any)
        self._answered = self._clock()
        return self._automatic

    async def discounted(self, questions: Sequence[discounting.Question]) -> list[totals.Shipped | errors.DomainError]:
        """The orders with their discounts, and with what became of the codes; or why one of them has none.

        Raises TransientError, or a DomainError for all of them.
        """
        request = promotion_service_pb2.BatchQuoteOrdersRequest(orders=[_asked(question) for question in questions])
        answer = await self._peer.call(self._stub.BatchQuoteOrders, request)
        return [_discounted(question.order, quote) for question, quote in zip(questions, answer.quotes, strict=True)]


class ShippingTable:
    """Shipping at the rates of the settings: nobody is asked."""

    def __init__(self, table: rates.ShippingRates) -> None:
        self._table = table

    async def costs(self, parcels: Sequence[domain.Parcel]) -> Sequence[money.Money | None]:
        """What it costs to ship each of these; None for what is not shipped there."""
        return [self._table.cost(parcel.address.country, parcel.price) for parcel in parcels]


def _offer(offer: product_pb2.Offer) -> domain.Offer:
    return domain.Offer(offer.sku, offer.title, render.money_value(offer.price), offer.tax_class, offer.vendor_id)


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
