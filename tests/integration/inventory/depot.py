"""Where administrators say what came and went: what the tests of inventory's calls share."""

import uuid
from dataclasses import dataclass
from typing import Any

from services.chassis import database
from services.inventory import domain, usecases
from souk.inventory.v1 import inventory_events_pb2, inventory_service_pb2
from tests.support import calls

LOW = database.Statement("""
SELECT payload FROM outbox WHERE key = %(sku)s AND type = 'souk.inventory.v1.StockLevelLow' ORDER BY id
""")
ADMIN = str(uuid.uuid4())


def new_sku() -> str:
    """A SKU that nobody used before."""
    return f"SKU-{str(uuid.uuid4()).upper()}"


@dataclass
class Depot:
    """Inventory, and an administrator who calls it."""

    db: database.Database
    does: usecases.Inventory
    shop: calls.Shop
    stub: Any

    @property
    def stock(self) -> usecases.Stock:
        """What orders and corrections do."""
        return self.does.stock

    @property
    def admin(self) -> Any:
        """Who calls."""
        return self.shop.as_user(ADMIN, "ADMIN")

    async def filled(self, on_hand: int, *, warehouse: str = "east") -> str:
        """A SKU of which so many lie there."""
        sku = new_sku()
        await self.stock.set_level(domain.Level(sku, warehouse, on_hand, 0), actor="test")
        return sku

    async def adjust(self, sku: str, delta: int, *, warehouse: str = "east", request_id: str = "") -> Any:
        """Say that so many came or went."""
        request = inventory_service_pb2.AdjustStockRequest(
            sku=sku, warehouse=warehouse, delta=delta, reason="counted", request_id=request_id
        )
        return await self.stub.AdjustStock(request, metadata=self.admin)

    async def reserve(self, sku: str, quantity: int) -> str:
        """An order that holds so many."""
        order_id = str(uuid.uuid4())
        async with self.db.transaction() as transaction:
            await self.stock.reserve(transaction, [domain.Want(order_id, {sku: quantity})])
        return order_id

    async def sell(self, sku: str, quantity: int) -> str:
        """An order that took so many."""
        order_id = await self.reserve(sku, quantity)
        async with self.db.transaction() as transaction:
            await self.stock.commit(transaction, [order_id])
        return order_id

    async def release(self, order_id: str) -> None:
        """Cancel the order."""
        async with self.db.transaction() as transaction:
            await self.stock.release(transaction, [order_id])

    async def levels(self, sku: str) -> dict[str, tuple[int, int]]:
        """How many lie in each warehouse, and are reserved there."""
        return {level.warehouse: (level.on_hand, level.reserved) for level in await self.stock.levels(sku)}

    async def audited(self, sku: str, *, repair: bool = False) -> Any:
        """The stock beside its history."""
        request = inventory_service_pb2.AuditStockRequest(sku=sku, repair=repair)
        return await self.stub.AuditStock(request, metadata=self.admin)

    async def lows(self, sku: str) -> list[int]:
        """How many were left, each time the SKU was said to be low."""
        rows = await self.db.read(LOW, {"sku": sku})
        return [inventory_events_pb2.StockLevelLow.FromString(row[0]).available for row in rows]
