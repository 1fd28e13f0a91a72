"""Where returned units go: the warehouse that has them, or where they came from."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from services.inventory import domain

# Why units came, in the rows of movements; the reference is the return.
REASON = "sent_back"


def shelve(
    goods: domain.GoodsReturned, picked: Sequence[domain.Hold], warehouses: AbstractSet[str], anywhere: str
) -> list[domain.Movement]:
    """The movements that put a return's units on shelves.

    picked is from where the order was sent. A warehouse that does not exist is as good as none, and a unit that was sent from
    nowhere that is known goes `anywhere`: it is there, wherever that is.
    """
    if goods.warehouse in warehouses:
        return [_movement(goods, sku, goods.warehouse, quantity) for sku, quantity in _some(goods)]
    moved: list[domain.Movement] = []
    for sku, quantity in _some(goods):
        left = quantity
        for hold in sorted(picked, key=lambda hold: hold.warehouse):
            if hold.sku == sku and hold.warehouse in warehouses and (units := min(left, hold.quantity)):
                moved.append(_movement(goods, sku, hold.warehouse, units))
                left -= units
        if left:
            moved.append(_movement(goods, sku, anywhere, left))
    return moved


def _some(goods: domain.GoodsReturned) -> Iterator[tuple[str, int]]:
    return ((sku, quantity) for sku, quantity in sorted(goods.resell.items()) if quantity)


def _movement(goods: domain.GoodsReturned, sku: str, warehouse: str, quantity: int) -> domain.Movement:
    return domain.Movement(sku, warehouse, quantity, REASON, goods.return_id)
