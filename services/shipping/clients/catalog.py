"""The catalog, asked what is to be shipped: what it costs, and how it is packed."""

from collections.abc import Iterable, Mapping

from services import tariff_table
from services.chassis.rpc import client, render
from services.shipping.domain import rates
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]


class Catalog:
    """What is for sale."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)

    async def goods(self, skus: Iterable[str]) -> Mapping[str, rates.Good]:
        """What these SKUs cost, and how they are packed; those not for sale are absent. Raises TransientError."""
        request = catalog_service_pb2.BatchGetOffersRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetOffers, request)
        return {
            offer.sku: rates.Good(render.money_value(offer.price), tariff_table.package(offer))
            for offer in answer.offers
        }
