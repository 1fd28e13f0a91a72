"""Whom the catalog calls: inventory, for stock. Answers are domain values; inventory's errors pass on as they are."""

from services.catalog import domain
from services.chassis.rpc import client
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc

DESCRIPTOR = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]


class Inventory:
    """Stock, kept by the inventory service."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(peer.channel)

    async def set(self, counted: domain.Counted) -> domain.StockLevel:
        """Say how many lie in a warehouse.

        Raises what inventory does (WAREHOUSE_UNKNOWN, STOCK_BELOW_RESERVED), or TransientError without an answer: then
        it may have happened, and may be repeated.
        """
        request = inventory_service_pb2.SetStockRequest(
            sku=counted.sku, warehouse=counted.warehouse, on_hand=counted.on_hand, actor=counted.actor
        )
        level = await self._peer.call(self._stub.SetStock, request)
        return domain.StockLevel(level.sku, level.warehouse, level.on_hand, level.reserved, level.available)
