"""Whom the order service asks: the catalog for prices, and the shop's table for shipping. Answers are domain values."""

from collections.abc import Iterable, Mapping, Sequence

from cachetools import TTLCache

from services.chassis import money
from services.chassis.rpc import client, render
from services.order import domain
from services.order.domain import rates
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2

DESCRIPTOR = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
# SKUs whose price is remembered, and how many the catalog is asked for in one call.
REMEMBERED = 20_000
SKUS_A_CALL = 2_000


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


class ShippingTable:
    """Shipping at the rates of the settings: nobody is asked."""

    def __init__(self, table: rates.ShippingRates) -> None:
        self._table = table

    async def costs(self, parcels: Sequence[domain.Parcel]) -> Sequence[money.Money | None]:
        """What it costs to ship each of these; None for what is not shipped there."""
        return [self._table.cost(parcel.address.country, parcel.price) for parcel in parcels]


def _offer(offer: product_pb2.Offer) -> domain.Offer:
    return domain.Offer(offer.sku, offer.title, render.money_value(offer.price), offer.tax_class)
