"""Putting returned goods on shelves: once for each return, in the transaction that hears of its inspection."""

from collections.abc import Sequence

from services.chassis import database
from services.inventory import domain, store
from services.inventory.domain import HoldStatus, shelving
from services.inventory.store import returns
from services.inventory.usecases import moving


async def plan(transaction: database.Transaction, goods: Sequence[domain.GoodsReturned]) -> list[domain.Movement]:
    """What is to move for these returns. It is claimed, so it must be moved in this transaction."""
    fresh = await returns.claim(transaction, goods)
    if not fresh:
        return []
    known = await store.warehouses_of(transaction)
    warehouses = {warehouse.id for warehouse in known}
    picked = await store.holds_of(transaction, [item.order_id for item in fresh], HoldStatus.COMMITTED)
    moved: list[domain.Movement] = []
    for item in fresh:
        of_order = [hold for hold in picked if hold.order_id == item.order_id]
        moved += shelving.shelve(item, of_order, warehouses, known[0].id)
    await store.make_places(transaction, {movement.place for movement in moved})
    return moved


async def shelve(transaction: database.Transaction, planned: Sequence[domain.Movement]) -> None:
    """Move what was planned. Its SKUs are locked, and read again: the orders of the same batch have changed them meanwhile."""
    levels = await store.lock(transaction, [movement.sku for movement in planned])
    await moving.move_locked(transaction, levels, planned)
