"""Inventory's calls: reading stock and correcting it. Parse, call the use case, render."""

from typing import Any

from services.chassis import idempotency
from services.chassis.rpc import identity, page_tokens, server
from services.inventory import domain, messages, usecases
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc, movement_pb2, stock_pb2

DESCRIPTOR = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """`souk.inventory.v1.InventoryService`; what each method promises stands in the contract."""

    def __init__(self, does: usecases.Inventory, tokens: page_tokens.PageTokens) -> None:
        self._stock = does.stock
        self._history = does.history
        self._tokens = tokens

    async def GetStock(self, request: inventory_service_pb2.GetStockRequest, _: Any) -> stock_pb2.Stock:
        return messages.of_stock(await self._stock.levels(request.sku))

    async def ListStock(
        self, request: inventory_service_pb2.ListStockRequest, _: Any
    ) -> inventory_service_pb2.ListStockResponse:
        found = await self._stock.page(await self._tokens.page(request, page_tokens.ANYBODY))
        shown = [messages.of_stock(levels) for levels in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        return inventory_service_pb2.ListStockResponse(stock=shown, next_page_token=token)

    async def BatchGetStock(
        self, request: inventory_service_pb2.BatchGetStockRequest, _: Any
    ) -> inventory_service_pb2.BatchGetStockResponse:
        found = await self._stock.batch(sorted(set(request.skus)))
        return inventory_service_pb2.BatchGetStockResponse(stock=[messages.of_stock(levels) for levels in found])

    async def SetStock(self, request: inventory_service_pb2.SetStockRequest, _: Any) -> stock_pb2.StockLevel:
        wanted = domain.Level(request.sku, request.warehouse, request.on_hand, 0)
        actor = request.actor or identity.caller().service
        return messages.of_level(await self._stock.set_level(wanted, actor=actor))

    async def AdjustStock(self, request: inventory_service_pb2.AdjustStockRequest, _: Any) -> stock_pb2.StockLevel:
        who = identity.caller()
        wanted = domain.Adjustment(
            place=domain.Place(request.sku, request.warehouse),
            delta=request.delta,
            note=request.reason,
            actor=f"user:{who.user_id}" if who.user_id else who.service,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
        )
        return messages.of_level(await self._stock.adjust(wanted))

    async def SetStockThreshold(
        self, request: inventory_service_pb2.SetStockThresholdRequest, _: Any
    ) -> inventory_service_pb2.StockThreshold:
        await self._stock.set_threshold(request.sku, request.threshold)
        return inventory_service_pb2.StockThreshold(sku=request.sku, threshold=request.threshold)

    async def ListMovements(
        self, request: inventory_service_pb2.ListMovementsRequest, _: Any
    ) -> inventory_service_pb2.ListMovementsResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=int)
        found = await self._history.movements(request.sku, page)
        shown = [messages.of_movement(recorded) for recorded in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        return inventory_service_pb2.ListMovementsResponse(movements=shown, next_page_token=token)

    async def AuditStock(self, request: inventory_service_pb2.AuditStockRequest, _: Any) -> movement_pb2.StockAudit:
        found = await self._history.audit(request.sku, repair=request.repair)
        return messages.of_audit(request.sku, found, repair=request.repair)

    async def ListWarehouses(
        self,
        request: inventory_service_pb2.ListWarehousesRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> inventory_service_pb2.ListWarehousesResponse:
        known = [messages.of_warehouse(warehouse) for warehouse in await self._stock.warehouses()]
        return inventory_service_pb2.ListWarehousesResponse(warehouses=known)

    async def PutWarehouse(self, request: inventory_service_pb2.PutWarehouseRequest, _: Any) -> stock_pb2.Warehouse:
        warehouse = domain.Warehouse(request.id, request.title, request.preference)
        await self._stock.put_warehouse(warehouse)
        return messages.of_warehouse(warehouse)


def servicer(does: usecases.Inventory, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, InventoryServicer(does, tokens))
