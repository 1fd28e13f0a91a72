"""Whom the catalog calls: inventory, for stock. Answers are domain values; inventory's errors pass on as they are."""

import asyncio
from collections.abc import Iterable, Sequence

from services.catalog import domain
from services.chassis import errors
from services.chassis.rpc import client
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc

# As many as one product has: more are asked for in batches, as large as inventory takes them.
MOST_SINGLE = 50
BATCH = 200

DESCRIPTOR = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]


class Inventory:
    """Stock, kept by the inventory service."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(peer.channel)

    async def known(self, skus: Iterable[str]) -> set[str]:
        """Those of the SKUs that lie, or lay, in a warehouse. Raises TransientError without an answer."""
        wanted = list(skus)
        if len(wanted) > MOST_SINGLE:
            return await self._known_of_many(wanted)
        answers = await asyncio.gather(*(self._knows(sku) for sku in wanted))
        return {sku for sku, known in zip(wanted, answers, strict=True) if known}

    async def _known_of_many(self, skus: Sequence[str]) -> set[str]:
        """The same, a batch after the other: nothing but an import asks for so many, and others wait for answers too."""
        found: set[str] = set()
        for first in range(0, len(skus), BATCH):
            request = inventory_service_pb2.BatchGetStockRequest(skus=skus[first : first + BATCH])
            answer = await self._peer.call(self._stub.BatchGetStock, request)
            found.update(stock.sku for stock in answer.stock)
        return found

    async def _knows(self, sku: str) -> bool:
        try:
            await self._peer.call(self._stub.GetStock, inventory_service_pb2.GetStockRequest(sku=sku))
        except errors.DomainError as error:
            if error.reason != "SKU_NOT_FOUND":
                raise
            return False
        return True

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
