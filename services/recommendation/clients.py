"""Whom recommendation calls, to make its model anew: the catalog for products, inventory for stock."""

from collections.abc import Sequence

from services.chassis.rpc import client
from services.recommendation import domain, messages
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
INVENTORY = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]
SKUS_A_PAGE = 100


class Catalog:
    """Products, kept by the catalog."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)

    async def products_after(self, product_id: str) -> Sequence[domain.Product]:
        """A page of products, oldest first, from behind this one on; empty after the last. Raises TransientError."""
        request = catalog_service_pb2.ReadProductsRequest(after_id=product_id)
        answer = await self._peer.call(self._stub.ReadProducts, request)
        return [messages.product(product) for product in answer.products]


class Inventory:
    """Stock, kept by the inventory service."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(peer.channel)

    async def levels_page(self, token: str) -> tuple[Sequence[domain.Level], str]:
        """A page of levels, and the token of the next one (empty: there is none). Raises TransientError."""
        request = inventory_service_pb2.ListStockRequest(page_size=SKUS_A_PAGE, page_token=token)
        answer = await self._peer.call(self._stub.ListStock, request)
        levels = [messages.level(level) for stock in answer.stock for level in stock.levels]
        return levels, answer.next_page_token
