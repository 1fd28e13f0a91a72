"""The rows of orders: `orders` (never changed, but for the address when its user is erased) and `sagas` (where each order is).

What happened to them is in `history.py` (`order_events`, append-only), and their deadlines are looked at in `timers.py`.

Every write takes a list and is one statement. Rows become domain values in this room and nowhere else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services import postal
from services.chassis import database, money, pages
from services.chassis.schema import ID, TIME
from services.order import domain, saga

SERVICE = "order"
METADATA = MetaData()

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("address", JSONB, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("taxes_included", Boolean, nullable=False),
    Column("discounts", JSONB, nullable=True),
    Column("service_level", Text, nullable=False, server_default="STANDARD"),
)
SAGAS = Table(
    "sagas",
    METADATA,
    Column("order_id", ID, primary_key=True),
    Column("id", ID, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("awaiting", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("deadline", TIME, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("stuck", Boolean, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("cancel_reason", Text, nullable=False),
    Column("shortages", JSONB, nullable=True),
)
_O, _S = ORDERS.c, SAGAS.c
_ORDER_COLUMNS = tuple(column.name for column in ORDERS.columns)
_INSERT_ORDERS = database.Statement(database.insert_given(ORDERS, *_ORDER_COLUMNS))
# Deadlines are set by the database's clock, which the timer compares them with: no process's clock can be wrong.
_GIVEN_SAGAS = """
unnest(%(order_id)s::uuid[], %(id)s::uuid[], %(definition_version)s::int[], %(status)s::text[], %(step)s::text[],
  %(awaiting)s::text[], %(version)s::bigint[], %(update_time)s::timestamptz[], %(attempts)s::int[], %(stuck)s::boolean[],
  %(payment_id)s::text[], %(cancel_reason)s::text[], %(shortages)s::jsonb[], %(wait)s::float8[])
AS g(order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason, shortages, wait)"""
_INSERT_SAGAS = database.Statement(f"""
INSERT INTO sagas (order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason, shortages, deadline)
SELECT order_id, id, definition_version, status, step, awaiting, version, update_time, attempts, stuck,
  payment_id, cancel_reason, shortages, clock_timestamp() + make_interval(secs => wait)
FROM {_GIVEN_SAGAS}
""")  # noqa: S608 - both parts are constants of this file
_UPDATE_SAGAS = database.Statement(f"""
UPDATE sagas AS s SET status = g.status, step = g.step, awaiting = g.awaiting, version = g.version,
  update_time = g.update_time, attempts = g.attempts, stuck = g.stuck, payment_id = g.payment_id,
  cancel_reason = g.cancel_reason, shortages = g.shortages, deadline = clock_timestamp() + make_interval(secs => g.wait)
FROM {_GIVEN_SAGAS}
WHERE s.order_id = g.order_id
""")  # noqa: S608 - as above

_PLACED = select(ORDERS, SAGAS).join(SAGAS, _S.order_id == _O.id)
_IDS = bindparam("ids", type_=ARRAY(ID))
_BY_IDS = database.Lookup(_PLACED.where(_O.id == _IDS.any_()), by="ids")
# Locked in one order, so that two batches with orders in common wait for each other instead of deadlocking.
_LOCK = database.Lookup(_PLACED.where(_O.id == _IDS.any_()).order_by(_S.order_id).with_for_update(of=SAGAS), by="ids")
_PAGE = database.Statement(
    _PLACED.where(_O.user_id == bindparam("user_id", type_=ID), _O.id < bindparam("before", type_=ID))
    .order_by(_O.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_HAVE_ORDERED = database.Statement("""
SELECT u.id FROM unnest(%(user_ids)s::uuid[]) AS u(id) WHERE EXISTS (
  SELECT 1 FROM orders AS o JOIN sagas AS s ON s.order_id = o.id WHERE o.user_id = u.id AND s.status <> 'CANCELLED')
""")

# Of an order that ended only the country and the region of its address stay: taxes went by them. Users erased: see `erasure`.
ERASE = database.Statement(f"""
UPDATE orders AS o SET address = o.address || '{postal.NOBODY}'
FROM sagas AS s
WHERE o.user_id = ANY(%(users)s::uuid[]) AND s.order_id = o.id AND s.step = 'DONE' AND o.address ->> 'line1' <> ''
""")  # noqa: S608 - a constant of the shop's


async def insert(transaction: database.Transaction, placed: Sequence[domain.Placed], waits: saga.Waits) -> None:
    """Write new orders with their sagas."""
    orders = [item.order for item in placed]
    rows = database.columns(orders, "id", "user_id", "payment_method", "create_time", "taxes_included", "service_level")
    rows |= {
        "currency": [order.total.currency for order in orders],
        "total": [order.total.amount for order in orders],
        "lines": [Jsonb([_line_row(line) for line in order.lines]) for order in orders],
        "address": [Jsonb(database.document(order.address)) for order in orders],
        "discounts": [
            Jsonb([database.document(one) for one in order.discounts]) if order.discounts else None for order in orders
        ],
    }
    await transaction.run(_INSERT_ORDERS, rows)
    await transaction.run(_INSERT_SAGAS, _saga_rows([item.saga for item in placed], waits))


async def save(transaction: database.Transaction, sagas: Sequence[domain.Saga], waits: saga.Waits) -> None:
    """Write where these orders are now. Their rows are locked by `lock`."""
    await transaction.run(_UPDATE_SAGAS, _saga_rows(sagas, waits))


async def lock(transaction: database.Transaction, order_ids: Sequence[str]) -> dict[str, domain.Placed]:
    """These orders, by id, locked until the transaction ends. Ids without an order are absent."""
    return _by_id(await transaction.run(_LOCK, {"ids": list(order_ids)}))


async def load(db: database.Database, order_ids: Sequence[str]) -> dict[str, domain.Placed]:
    """These orders, by id. Ids without an order are absent."""
    return _by_id(await db.read(_BY_IDS, {"ids": list(order_ids)}))


async def page_of(db: database.Database, user_id: str, page: pages.Page) -> list[domain.Placed]:
    """A user's orders, newest first: up to one more than the page shows."""
    rows = await db.read(_PAGE, {"user_id": user_id, "before": page.after or pages.LAST_ID, "most": page.size + 1})
    return [placed(row) for row in rows]


async def have_ordered(db: database.Database, user_ids: Sequence[str]) -> frozenset[str]:
    """Those of these users who have an order that is not CANCELLED."""
    rows = await db.read(_HAVE_ORDERED, {"user_ids": list(user_ids)})
    return frozenset(row[0] for row in rows)


def _saga_rows(sagas: Sequence[domain.Saga], waits: saga.Waits) -> dict[str, list[Any]]:
    plain = ("order_id", "id", "definition_version", "status", "step", "version", "update_time", "attempts", "stuck")
    return database.columns(sagas, *plain, "payment_id", "cancel_reason") | {
        "awaiting": [",".join(sorted(item.awaiting)) for item in sagas],
        "shortages": [
            Jsonb([database.document(s) for s in item.shortages]) if item.shortages else None for item in sagas
        ],
        "wait": [waits.after(item) for item in sagas],
    }


def _line_row(line: domain.Line) -> dict[str, Any]:
    row: dict[str, Any] = {"sku": line.sku, "title": line.title}
    row |= {"quantity": line.quantity, "price": line.unit_price.amount}
    if line.vendor_id:
        row["vendor"] = line.vendor_id
    return row if line.charges == domain.Charges() else row | {"charges": database.document(line.charges)}


def _line(row: Mapping[str, Any], currency: str) -> domain.Line:
    # Lines without charges say nothing of them, as those of before there were any.
    charges = domain.Charges(**row.get("charges", {}))
    return domain.Line(
        row["sku"], row["title"], row["quantity"], money.Money(currency, row["price"]), charges, row.get("vendor", "")
    )


def _by_id(rows: Sequence[database.Row]) -> dict[str, domain.Placed]:
    return {row[0]: placed(row) for row in rows}


def placed(row: database.Row) -> domain.Placed:
    """The order and its saga in a row with the columns of both."""
    order_id, user_id, currency, total, lines, address, payment_method, create_time = row[:8]
    taxes_included, discounts, service_level = row[8:11]
    order = domain.Order(
        id=order_id,
        user_id=user_id,
        lines=tuple(_line(line, currency) for line in lines),
        total=money.Money(currency, total),
        address=domain.Address(**address),
        payment_method=payment_method,
        create_time=create_time,
        taxes_included=taxes_included,
        discounts=tuple(domain.Discount(**discount) for discount in discounts or ()),
        service_level=service_level,
    )
    return domain.Placed(order, _saga(row[11:]))


def _saga(row: database.Row) -> domain.Saga:
    order_id, saga_id, definition_version, status, step, awaiting, version, update_time = row[:8]
    deadline, attempts, stuck, payment_id, cancel_reason, shortages = row[8:]
    return domain.Saga(
        id=saga_id,
        order_id=order_id,
        definition_version=definition_version,
        status=domain.Status(status),
        step=domain.Step(step),
        awaiting=frozenset(awaiting.split(",")) if awaiting else frozenset(),
        version=version,
        update_time=update_time,
        deadline=deadline,
        attempts=attempts,
        stuck=stuck,
        payment_id=payment_id,
        cancel_reason=cancel_reason,
        shortages=tuple(domain.Shortage(**item) for item in shortages or ()),
    )
