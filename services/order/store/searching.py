"""Orders across customers, found by index: `order_skus` says which orders hold a SKU, or lines of a vendor.

A trigger writes it with each order. A page is read along one index, newest first, that of the filter that leaves the fewest
orders; the others are checked on the way.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, Text

from services.chassis import database, ids, pages
from services.chassis.schema import ID
from services.order import domain, store
from services.order.domain import searching

SKUS = Table(
    "order_skus",
    store.METADATA,
    Column("sku", Text, primary_key=True),
    Column("order_id", ID, primary_key=True),
    Column("vendor_id", Text, nullable=True),
)
# A deadline that passed so long ago was seen by no timer.
_STUCK = "(s.stuck OR s.deadline < statement_timestamp() - interval '1 minute')"
_CONDITIONS = {
    "user_id": "o.user_id = %(user_id)s",
    "stuck": _STUCK,
    "sku": "k.sku = %(sku)s",
    "status": "s.status = %(status)s",
}
# Along whose key a page is read, by the first of these filters that is set: a customer has few orders, few are stuck, and
# fewer orders hold a SKU than are in a status.
_ALONG = {"user_id": "o.id", "stuck": "s.order_id", "sku": "k.order_id", "status": "s.order_id"}
_COLUMNS = ", ".join(
    [*(f"o.{column.name}" for column in store.ORDERS.columns), *(f"s.{c.name}" for c in store.SAGAS.columns)]
)
_OF_VENDOR = database.Statement(f"""
SELECT {_COLUMNS} FROM (
  SELECT DISTINCT order_id FROM order_skus
  WHERE vendor_id = %(vendor_id)s AND order_id < %(before)s AND order_id >= %(since)s
  ORDER BY order_id DESC LIMIT %(most)s) AS k
JOIN orders AS o ON o.id = k.order_id JOIN sagas AS s ON s.order_id = k.order_id ORDER BY k.order_id DESC
""")  # noqa: S608 - the columns are those of the tables


@functools.cache
def _search(filters: tuple[str, ...]) -> database.Statement:
    """The statement of a set of filters, which stand in the order of `_ALONG`."""
    along = _ALONG[filters[0]] if filters else "o.id"
    skus = "JOIN order_skus AS k ON k.order_id = o.id" if "sku" in filters else ""
    met = " AND ".join([f"{along} < %(before)s", f"{along} >= %(since)s", *(_CONDITIONS[name] for name in filters)])
    return database.Statement(f"""
    SELECT {_COLUMNS} FROM orders AS o JOIN sagas AS s ON s.order_id = o.id {skus}
    WHERE {met} ORDER BY {along} DESC LIMIT %(most)s
    """)  # noqa: S608 - made of constants of this file


def statement(filters: searching.Filters, page: pages.Page) -> tuple[database.Statement, Mapping[str, Any]]:
    """What is asked for a page of the orders that meet these filters, and with which values."""
    values = {name: getattr(filters, name) for name in _ALONG if getattr(filters, name)}
    return _search(tuple(values)), values | _within(filters.span, page)


def vendors_statement(
    vendor_id: str, span: searching.Span, page: pages.Page
) -> tuple[database.Statement, Mapping[str, Any]]:
    """What is asked for a page of the orders that hold lines of this vendor, and with which values."""
    return _OF_VENDOR, {"vendor_id": vendor_id} | _within(span, page)


async def search(db: database.Database, filters: searching.Filters, page: pages.Page) -> Sequence[domain.Placed]:
    """The orders that meet these filters, newest first: up to one more than the page shows."""
    return [store.placed(row) for row in await db.read(*statement(filters, page))]


async def of_vendor(
    db: database.Database, vendor_id: str, span: searching.Span, page: pages.Page
) -> Sequence[domain.Placed]:
    """The orders that hold lines of this vendor, newest first: up to one more than the page shows."""
    return [store.placed(row) for row in await db.read(*vendors_statement(vendor_id, span, page))]


def _within(span: searching.Span, page: pages.Page) -> dict[str, Any]:
    """The ids between which a page of this span is: an order's id begins with the moment it was accepted."""
    end = ids.floor(span.end) if span.end else pages.LAST_ID
    since = ids.floor(span.start) if span.start else pages.FIRST_ID
    return {"before": min(end, page.after or pages.LAST_ID), "since": since, "most": page.size + 1}
