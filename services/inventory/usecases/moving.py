"""Moving units for people: the one way in which transfers, deliveries and counts change what lies in warehouses."""

from collections.abc import Collection, Sequence

from services.chassis import database, errors
from services.inventory import domain, store


async def check_warehouses(transaction: database.Transaction, warehouses: Collection[str]) -> None:
    """Raise WAREHOUSE_UNKNOWN unless all of these exist."""
    known = {warehouse.id for warehouse in await store.warehouses_of(transaction)}
    for unknown in sorted(set(warehouses) - known):
        said = f"the warehouse {unknown!r} does not exist"
        raise errors.precondition("WAREHOUSE_UNKNOWN", said, warehouse=unknown)


async def lock(transaction: database.Transaction, places: Collection[domain.Place]) -> list[domain.Level]:
    """All levels of the SKUs of these places, locked. Where nothing lay yet there is now a place to lock."""
    await store.make_places(transaction, places)
    return await store.lock(transaction, [place.sku for place in places])


async def move(transaction: database.Transaction, movements: Sequence[domain.Movement]) -> list[domain.Level]:
    """Make these movements happen, and tell of the levels that they changed: those levels.

    Raises STOCK_BELOW_RESERVED or STOCK_TOO_LARGE, and then nothing moved.
    """
    places = {movement.place for movement in movements}
    return await move_locked(transaction, await lock(transaction, places), movements) if places else []


async def move_locked(
    transaction: database.Transaction, levels: Sequence[domain.Level], movements: Sequence[domain.Movement]
) -> list[domain.Level]:
    """The same with levels that `lock` has locked."""
    if not movements:
        return []
    deltas: dict[domain.Place, int] = {}
    for movement in movements:
        deltas[movement.place] = deltas.get(movement.place, 0) + movement.delta
    after = [domain.adjusted(level, deltas[level.place]) for level in levels if level.place in deltas]
    await store.put_all(transaction, after)
    await store.record(transaction, movements)
    transaction.emit(domain.StockLevelChanged(level) for level in after)
    transaction.emit(domain.fallen_low(levels, {place: -delta for place, delta in deltas.items()}))
    return after
