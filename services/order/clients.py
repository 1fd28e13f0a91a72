"""Whom the order service calls: the catalog, for prices. Answers are domain values."""

from collections.abc import Iterable, Mapping

from cachetools import TTLCache

from services.chassis.rpc import client, render
from services.order import domain
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

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
        fresh = {o.sku: domain.Offer(o.sku, o.title, render.money_value(o.price)) for o in answer.offers}
        self._known.update(fresh)
        return fresh
