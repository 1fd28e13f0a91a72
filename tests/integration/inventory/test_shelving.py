"""Goods that customers sent back, on a real database: on the shelf once, beside orders of the same SKU in the same batch."""

from services.chassis import database
from services.inventory import domain
from tests.integration.inventory.depot import Depot

MOVED = database.Statement("""
SELECT warehouse, delta, reason FROM movements WHERE reference = %(reference)s ORDER BY warehouse
""")
RETURN = "0190a000-0000-7000-8000-0000000000{:02}"


async def hear(depot: Depot, *said: domain.Confirmation | domain.Cancellation | domain.GoodsReturned) -> None:
    async with depot.db.transaction() as transaction:
        await depot.stock.hear(transaction, said)


async def on_hand(depot: Depot, sku: str) -> dict[str, int]:
    return {level.warehouse: level.on_hand for level in await depot.stock.levels(sku) if level.on_hand}


async def test_goods_that_come_back_twice_are_on_the_shelf_once(depot: Depot) -> None:
    sku = await depot.filled(5)
    order_id = await depot.sell(sku, 3)
    back = domain.GoodsReturned(RETURN.format(1), order_id, {sku: 2})

    await hear(depot, back)
    await hear(depot, back)

    assert await on_hand(depot, sku) == {"east": 4}
    moved = await depot.db.read(MOVED, {"reference": back.return_id})
    assert [tuple(row) for row in moved] == [("east", 2, "sent_back")]


async def test_goods_come_back_beside_orders_that_take_and_give_back_the_same_sku(depot: Depot) -> None:
    sku = await depot.filled(9)
    sold, leaving, cancelled = await depot.sell(sku, 2), await depot.reserve(sku, 3), await depot.sell(sku, 1)

    await hear(
        depot,
        domain.GoodsReturned(RETURN.format(2), sold, {sku: 2}),
        domain.Confirmation(leaving),
        domain.Cancellation(cancelled),
    )

    assert await on_hand(depot, sku) == {"east": 6}


async def test_goods_make_a_place_in_a_warehouse_where_nothing_lay(depot: Depot) -> None:
    sku = await depot.filled(1)
    order_id = await depot.sell(sku, 1)

    await hear(depot, domain.GoodsReturned(RETURN.format(3), order_id, {sku: 1}, "west"))

    assert await on_hand(depot, sku) == {"west": 1}
