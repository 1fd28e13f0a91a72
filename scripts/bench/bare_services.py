"""What the three services of the bare event path do with a batch of events: one set-based statement for each table.

A handler is given the events of one type and answers with the letters they cause. There is no validation, no provider, no
deadline that anybody looks at: it is the least that must happen to the data.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg
from google.type import money_pb2

from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2
from souk.payment.v1 import payment_events_pb2

Connection = psycopg.AsyncConnection[Any]
# Topic, key, and the message itself.
Unsent = tuple[str, str, Any]
Handler = Callable[[Connection, Sequence[Any]], Awaitable[list[Unsent]]]

_HOLD = """
INSERT INTO reservations (order_id, sku, quantity, status, expire_time)
SELECT order_id, sku, quantity, 'HELD', now() + interval '10 minutes'
FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS g(order_id, sku, quantity)
"""
_COMMIT = """
WITH taken AS (
  UPDATE reservations SET status = 'COMMITTED' WHERE order_id = ANY(%s::uuid[]) AND status = 'HELD' RETURNING sku, quantity),
totals AS (SELECT sku, sum(quantity) AS quantity FROM taken GROUP BY sku)
UPDATE stock AS s SET on_hand = s.on_hand - t.quantity, reserved = s.reserved - t.quantity
FROM totals AS t WHERE t.sku = s.sku
"""
_RESERVE = """
UPDATE stock AS s SET reserved = s.reserved + g.quantity
FROM unnest(%s::text[], %s::bigint[]) AS g(sku, quantity) WHERE s.sku = g.sku
"""
_STEP = """
UPDATE orders SET status = %s, version = version + 1 WHERE id = ANY(%s::uuid[]) AND status = %s
RETURNING id::text, version, total
"""
_HISTORY = (
    "INSERT INTO history (order_id, sequence, status) SELECT o, v, %s FROM unnest(%s::uuid[], %s::int[]) AS g(o, v)"
)
_AUTHORIZE = """
INSERT INTO payments (order_id, status, amount) SELECT o, 'AUTHORIZED', a FROM unnest(%s::uuid[], %s::bigint[]) AS g(o, a)
ON CONFLICT DO NOTHING
"""
_POST = """
INSERT INTO ledger (order_id, account, amount) SELECT o, account, sign * a
FROM unnest(%s::uuid[], %s::bigint[]) AS g(o, a), (VALUES ('provider', 1), ('revenue', -1)) AS side(account, sign)
"""


async def reserve(connection: Connection, placed: Sequence[Any]) -> list[Unsent]:
    """Inventory holds all lines of each order or none; what one got is not there for the next."""
    skus = sorted({line.sku for order in placed for line in order.lines})
    rows = await connection.execute(
        "SELECT sku, on_hand - reserved FROM stock WHERE sku = ANY(%s) ORDER BY sku FOR UPDATE", (skus,)
    )
    free: dict[str, int] = dict(await rows.fetchall())
    taken: dict[str, int] = {}
    held: list[tuple[str, str, int]] = []
    letters: list[Unsent] = []
    for order in placed:
        if any(free.get(line.sku, 0) < line.quantity for line in order.lines):
            letters.append(("inventory", order.order_id, inventory_events_pb2.StockRejected(order_id=order.order_id)))
            continue
        for line in order.lines:
            free[line.sku] -= line.quantity
            taken[line.sku] = taken.get(line.sku, 0) + line.quantity
            held.append((order.order_id, line.sku, line.quantity))
        letters.append(("inventory", order.order_id, inventory_events_pb2.StockReserved(order_id=order.order_id)))
    await connection.execute(_RESERVE, (list(taken), list(taken.values())))
    await connection.execute(_HOLD, columns(held, 3))
    return letters


async def commit(connection: Connection, confirmed: Sequence[Any]) -> list[Unsent]:
    """Inventory takes what was held off the shelf."""
    ids = [order.order_id for order in confirmed]
    await connection.execute(_COMMIT, (ids,))
    return [("inventory", order_id, inventory_events_pb2.StockCommitted(order_id=order_id)) for order_id in ids]


async def ask_for_money(connection: Connection, reserved: Sequence[Any]) -> list[Unsent]:
    """Order asks for the money of what is held."""
    rows = await _step(connection, reserved, "PENDING", "RESERVED", "PAYMENT")
    return [
        ("orders", row[0], order_events_pb2.PaymentRequested(order_id=row[0], amount=_money(row[2]))) for row in rows
    ]


async def confirm(connection: Connection, authorized: Sequence[Any]) -> list[Unsent]:
    """Order confirms what is paid."""
    rows = await _step(connection, authorized, "RESERVED", "CONFIRMED", "DONE")
    return [("orders", row[0], order_events_pb2.OrderConfirmed(order_id=row[0])) for row in rows]


async def authorize(connection: Connection, requested: Sequence[Any]) -> list[Unsent]:
    """Payment notes that the money is there: nobody is asked for it."""
    ids, amounts = [each.order_id for each in requested], [each.amount.units for each in requested]
    await connection.execute(_AUTHORIZE, (ids, amounts))
    return [("payments", order_id, payment_events_pb2.PaymentAuthorized(order_id=order_id)) for order_id in ids]


async def capture(connection: Connection, confirmed: Sequence[Any]) -> list[Unsent]:
    """Payment takes the money, into the ledger."""
    rows = await connection.execute(
        "UPDATE payments SET status = 'CAPTURED' WHERE order_id = ANY(%s::uuid[]) RETURNING order_id::text, amount",
        ([order.order_id for order in confirmed],),
    )
    captured = await rows.fetchall()
    await connection.execute(_POST, columns(captured, 2))
    return [("payments", row[0], payment_events_pb2.PaymentCaptured(order_id=row[0])) for row in captured]


def columns(rows: Sequence[Sequence[Any]], width: int) -> tuple[list[Any], ...]:
    """Rows as the arrays that unnest takes."""
    return tuple([row[number] for row in rows] for number in range(width))


def _money(units: int) -> money_pb2.Money:
    return money_pb2.Money(currency_code="USD", units=units)


async def _step(
    connection: Connection, replies: Sequence[Any], before: str, after: str, step: str
) -> list[tuple[Any, ...]]:
    ids = [reply.order_id for reply in replies]
    rows = await (await connection.execute(_STEP, (after, ids, before))).fetchall()
    await connection.execute("UPDATE sagas SET step = %s WHERE order_id = ANY(%s::uuid[])", (step, ids))
    await connection.execute(_HISTORY, (after, [row[0] for row in rows], [row[1] for row in rows]))
    return rows
