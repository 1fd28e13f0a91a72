"""Inventory's calls: reading stock and correcting it. Parse, call the use case, render."""

from typing import Any

from services.chassis import idempotency, ids
from services.chassis.rpc import identity, page_tokens, server
from services.inventory import domain, messages, usecases
from services.inventory.domain.supplies import Kind
from souk.inventory.v1 import (
    count_pb2,
    forecast_pb2,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    movement_pb2,
    stock_pb2,
    supply_pb2,
)

DESCRIPTOR = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]

# What a forecast looks at when nobody says.
LEAD_DAYS, COVER_DAYS = 7, 28


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """`souk.inventory.v1.InventoryService`; what each method promises stands in the contract."""

    def __init__(self, does: usecases.Inventory, tokens: page_tokens.PageTokens) -> None:
        self._stock = does.stock
        self._history = does.history
        self._supplying = does.supplying
        self._counting = does.counting
        self._forecasting = does.forecasting
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
        wanted = domain.Adjustment(
            place=domain.Place(request.sku, request.warehouse),
            delta=request.delta,
            note=request.reason,
            actor=_actor(),
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
        warehouse = messages.warehouse_sent(request)
        await self._stock.put_warehouse(warehouse)
        return messages.of_warehouse(warehouse)

    async def CreateTransfer(self, request: inventory_service_pb2.CreateTransferRequest, _: Any) -> supply_pb2.Transfer:
        wanted = messages.transfer_wanted(request, _actor())
        return messages.of_transfer(await self._supplying.begin(wanted))

    async def GetTransfer(self, request: inventory_service_pb2.GetTransferRequest, _: Any) -> supply_pb2.Transfer:
        return messages.of_transfer(await self._supplying.get(Kind.TRANSFER, request.id.lower()))

    async def ListTransfers(
        self, request: inventory_service_pb2.ListTransfersRequest, _: Any
    ) -> inventory_service_pb2.ListTransfersResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._supplying.list(Kind.TRANSFER, page, under_way=request.under_way)
        shown = [messages.of_transfer(supply) for supply in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        return inventory_service_pb2.ListTransfersResponse(transfers=shown, next_page_token=token)

    async def ReceiveTransfer(
        self, request: inventory_service_pb2.ReceiveTransferRequest, _: Any
    ) -> supply_pb2.Transfer:
        delivery = messages.delivery(Kind.TRANSFER, request, _actor())
        return messages.of_transfer(await self._supplying.receive(delivery))

    async def EndTransfer(self, request: inventory_service_pb2.EndTransferRequest, _: Any) -> supply_pb2.Transfer:
        ended = await self._supplying.end(Kind.TRANSFER, request.id.lower(), returned=request.returned)
        return messages.of_transfer(ended)

    async def CreateRestockOrder(
        self, request: inventory_service_pb2.CreateRestockOrderRequest, _: Any
    ) -> supply_pb2.RestockOrder:
        wanted = messages.restock_wanted(request, _actor())
        return messages.of_restock(await self._supplying.begin(wanted))

    async def GetRestockOrder(
        self, request: inventory_service_pb2.GetRestockOrderRequest, _: Any
    ) -> supply_pb2.RestockOrder:
        return messages.of_restock(await self._supplying.get(Kind.RESTOCK, request.id.lower()))

    async def ListRestockOrders(
        self, request: inventory_service_pb2.ListRestockOrdersRequest, _: Any
    ) -> inventory_service_pb2.ListRestockOrdersResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._supplying.list(Kind.RESTOCK, page, under_way=request.under_way)
        shown = [messages.of_restock(supply) for supply in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        return inventory_service_pb2.ListRestockOrdersResponse(restock_orders=shown, next_page_token=token)

    async def ExpectRestockOrder(
        self, request: inventory_service_pb2.ExpectRestockOrderRequest, _: Any
    ) -> supply_pb2.RestockOrder:
        when = messages.moment(request, "expected_time")
        return messages.of_restock(await self._supplying.expect(Kind.RESTOCK, request.id.lower(), when))

    async def ReceiveRestockOrder(
        self, request: inventory_service_pb2.ReceiveRestockOrderRequest, _: Any
    ) -> supply_pb2.RestockOrder:
        delivery = messages.delivery(Kind.RESTOCK, request, _actor())
        return messages.of_restock(await self._supplying.receive(delivery))

    async def EndRestockOrder(
        self, request: inventory_service_pb2.EndRestockOrderRequest, _: Any
    ) -> supply_pb2.RestockOrder:
        return messages.of_restock(await self._supplying.end(Kind.RESTOCK, request.id.lower()))

    async def CreateStockCount(
        self, request: inventory_service_pb2.CreateStockCountRequest, _: Any
    ) -> count_pb2.StockCount:
        return messages.of_count(await self._counting.count(messages.count_wanted(request, _actor())))

    async def GetStockCount(self, request: inventory_service_pb2.GetStockCountRequest, _: Any) -> count_pb2.StockCount:
        return messages.of_count(await self._counting.get(request.id.lower()))

    async def ListStockCounts(
        self, request: inventory_service_pb2.ListStockCountsRequest, _: Any
    ) -> inventory_service_pb2.ListStockCountsResponse:
        found = await self._counting.list(await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check))
        shown = [messages.of_count(count) for count in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        return inventory_service_pb2.ListStockCountsResponse(counts=shown, next_page_token=token)

    async def GetForecast(self, request: inventory_service_pb2.GetForecastRequest, _: Any) -> forecast_pb2.Forecast:
        lead, cover = request.lead_days or LEAD_DAYS, request.cover_days or COVER_DAYS
        found = await self._forecasting.forecast(request.sku, lead_days=lead, cover_days=cover)
        return messages.of_forecast(found)


def _actor() -> str:
    who = identity.caller()
    return f"user:{who.user_id}" if who.user_id else who.service


def servicer(does: usecases.Inventory, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, InventoryServicer(does, tokens))
