"""The rows of documents: what is due, what was issued (append-only), and the last number of each series.

Numbers are given under the lock of the row of their series, in the transaction that writes them: a process that dies gives
none, and two that issue at once wait for each other. The series is the year by the database's clock (UTC).
"""

import json
from collections.abc import Sequence

from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis import database, money
from services.chassis.schema import ID, TIME
from services.order import store
from services.order.domain import documents
from services.order.domain.documents import Kind

DOCUMENTS = Table(
    "documents",
    store.METADATA,
    Column("kind", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("order_id", ID, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("seller", JSONB, nullable=False),
    Column("issue_time", TIME, nullable=False),
)
_DUE = database.Statement("""
INSERT INTO documents_due (order_id, kind, refunded)
SELECT g.order_id, g.kind, g.refunded
FROM unnest(%(order_id)s::uuid[], %(kind)s::text[], %(refunded)s::bigint[]) AS g(order_id, kind, refunded)
JOIN orders AS o ON o.id = g.order_id AND o.total > 0
ON CONFLICT DO NOTHING
""")
_ANY_DUE = database.Statement("SELECT DISTINCT kind FROM documents_due")
_LOCK_SERIES = database.Statement("""
INSERT INTO document_series (kind, series, last)
VALUES (%(kind)s, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY'), 0)
ON CONFLICT (kind, series) DO UPDATE SET last = document_series.last
RETURNING series
""")
# What was issued before is due again when its event was repeated, and gets no number. A credit note is about what came on top of
# the refunds before it.
_ISSUE = database.Statement("""
WITH due AS (
  DELETE FROM documents_due WHERE (order_id, kind, refunded) IN (
    SELECT order_id, kind, refunded FROM documents_due WHERE kind = %(kind)s ORDER BY since, order_id, refunded LIMIT %(most)s)
  RETURNING order_id, kind, refunded, since),
new AS (
  SELECT d.order_id, d.refunded, o.currency,
    CASE WHEN d.kind = 'INVOICE' THEN o.total ELSE d.refunded - greatest(
      coalesce(lag(d.refunded) OVER (PARTITION BY d.order_id ORDER BY d.refunded), 0),
      coalesce((SELECT max(refunded) FROM documents AS i WHERE i.order_id = d.order_id AND i.kind = d.kind), 0)) END AS amount,
    d.since
  FROM due AS d JOIN orders AS o ON o.id = d.order_id
  WHERE NOT EXISTS (
    SELECT 1 FROM documents AS i WHERE i.order_id = d.order_id AND i.kind = d.kind AND i.refunded >= d.refunded)),
numbered AS (
  SELECT *, row_number() OVER (ORDER BY since, order_id, refunded) AS at, count(*) OVER () AS many FROM new),
series AS (
  UPDATE document_series SET last = last + (SELECT count(*) FROM new)
  WHERE kind = %(kind)s AND series = %(series)s RETURNING last)
INSERT INTO documents (kind, series, number, order_id, refunded, currency, amount, seller, issue_time)
SELECT %(kind)s, %(series)s, series.last - many + at, order_id, refunded, currency, amount, %(seller)s, clock_timestamp()
FROM numbered, series
RETURNING number
""")
_OF_ORDER = database.Statement("""
SELECT kind, series, number, order_id, refunded, currency, amount, seller, issue_time
FROM documents WHERE order_id = %(order_id)s
""")


async def due(transaction: database.Transaction, items: Sequence[documents.Due]) -> None:
    """Have these documents issued. What is due or was issued before is not issued again; unknown orders get none."""
    await transaction.run(_DUE, database.columns(items, "order_id", "kind", "refunded"))


async def kinds_due(db: database.Database) -> list[Kind]:
    """Of which kinds documents are due: invoices first, which credit notes refer to."""
    found = {row[0] for row in await db.read(_ANY_DUE)}
    return [kind for kind in Kind if kind in found]


async def issue(transaction: database.Transaction, kind: Kind, seller: documents.Seller, *, most: int) -> int:
    """Issue up to so many documents of a kind, the oldest first: how many. The series is locked until the transaction ends."""
    [[series]] = await transaction.run(_LOCK_SERIES, {"kind": kind})
    values = {"kind": kind, "series": series, "most": most, "seller": Jsonb(seller.details)}
    return len(await transaction.run(_ISSUE, values))


async def of_order(db: database.Database, order_id: str) -> list[documents.Document]:
    """What was issued for an order."""
    return [_document(row) for row in await db.read(_OF_ORDER, {"order_id": order_id})]


def _document(row: database.Row) -> documents.Document:
    kind, series, number, order_id, refunded, currency, amount, seller, issue_time = row
    return documents.Document(
        kind=Kind(kind),
        series=series,
        number=number,
        order_id=order_id,
        refunded=refunded,
        amount=money.Money(currency, amount),
        seller=documents.Seller(json.dumps(seller)),
        issue_time=issue_time,
    )
