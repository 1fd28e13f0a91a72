"""Whom cart calls: the catalog for titles and prices, inventory for stock. Answers are domain values."""

from collections.abc import Iterable, Mapping

from services.cart import domain
from services.chassis.rpc import client, render
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
INVENTORY = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]
# Somebody waits for a cart, which is shown without what takes longer, in seconds.
PATIENCE_S = 0.8


class Catalog:
    """What is for sale, and for how much."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        """What is for sale of these SKUs. Raises TransientError without an answer, or the catalog's DomainError."""
        request = catalog_service_pb2.BatchGetOffersRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetOffers, request, timeout_s=PATIENCE_S)
        return {
            offer.sku: domain.Offer(offer.sku, offer.product_id, offer.title, render.money_value(offer.price))
            for offer in answer.offers
        }


class Inventory:
    """What is in stock."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(peer.channel)

    async def available(self, skus: Iterable[str]) -> Mapping[str, int]:
        """How many units can be ordered of these SKUs. Raises TransientError without an answer, or its DomainError."""
        request = inventory_service_pb2.BatchGetStockRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetStock, request, timeout_s=PATIENCE_S)
        return {stock.sku: stock.available for stock in answer.stock}
