"""Promotions, each a row: its terms as JSON, and beside them what statements ask for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from services.chassis import database, pages
from services.promotion.domain.promotions import Promotion
from services.promotion.store import packing

# As `promotion_of` reads them.
COLUMNS = "p.id, p.terms, p.start_time, p.end_time, p.create_time, p.update_time, p.version, p.uses"
_INSERT = database.Statement("""
INSERT INTO promotions (id, terms, automatic, most_uses, uses, start_time, end_time, create_time, update_time, version)
VALUES (%(id)s, %(terms)s, %(automatic)s, %(most_uses)s, 0, %(start_time)s, %(end_time)s, %(create_time)s,
  %(update_time)s, %(version)s)
""")
_WRITE = database.Statement("""
UPDATE promotions SET terms = %(terms)s, automatic = %(automatic)s, most_uses = %(most_uses)s, start_time = %(start_time)s,
  end_time = %(end_time)s, update_time = %(update_time)s, version = %(version)s
WHERE id = %(id)s::uuid
""")
_BY_IDS = database.Lookup(f"SELECT {COLUMNS} FROM promotions AS p WHERE p.id = ANY(%(ids)s::uuid[])", by="ids")  # noqa: S608 - all parts are constants of this room
# Codes that refer to a promotion are inserted meanwhile: its key does not change.
_LOCK = database.Lookup(
    f"SELECT {COLUMNS} FROM promotions AS p WHERE p.id = ANY(%(ids)s::uuid[]) ORDER BY p.id FOR NO KEY UPDATE",  # noqa: S608 - as above
    by="ids",
)
_PAGE = database.Statement(f"""
SELECT {COLUMNS} FROM promotions AS p WHERE p.id < %(before)s::uuid ORDER BY p.id DESC LIMIT %(most)s
""")  # noqa: S608 - as above
_ANY_AUTOMATIC = database.Statement("""
SELECT EXISTS (SELECT 1 FROM promotions AS p WHERE p.automatic AND (p.start_time IS NULL OR p.start_time <= %(now)s)
  AND (p.end_time IS NULL OR p.end_time > %(now)s))
""")
_CHANGE = database.Statement("""
UPDATE promotions AS p SET uses = p.uses + g.by FROM unnest(%(id)s::uuid[], %(by)s::bigint[]) AS g(id, by)
WHERE p.id = g.id
""")


def promotion_of(row: Sequence[Any]) -> Promotion:
    """The promotion in a row of COLUMNS."""
    promotion_id, terms, start_time, end_time, create_time, update_time, version, uses = row
    return Promotion(
        promotion_id, packing.unpack(terms), start_time, end_time, create_time, update_time, version=version, uses=uses
    )


def _row(promotion: Promotion) -> dict[str, Any]:
    names = ("id", "start_time", "end_time", "create_time", "update_time", "version")
    terms = promotion.terms
    packed = {"terms": Jsonb(packing.pack(terms)), "automatic": terms.automatic, "most_uses": terms.most_uses}
    return {name: getattr(promotion, name) for name in names} | packed


async def insert_promotion(transaction: database.Transaction, promotion: Promotion) -> None:
    """Write a new promotion."""
    await transaction.run(_INSERT, _row(promotion))


async def write_promotion(transaction: database.Transaction, promotion: Promotion) -> None:
    """Write a promotion that was locked; its uses are changed by `change_promotions`."""
    await transaction.run(_WRITE, _row(promotion))


async def promotions_of(db: database.Database, ids: Sequence[str]) -> dict[str, Promotion]:
    """These promotions, by id. Ids without a promotion are absent."""
    return {row[0]: promotion_of(row) for row in await db.read(_BY_IDS, {"ids": list(ids)})}


async def read_promotions(transaction: database.Transaction, ids: Sequence[str]) -> dict[str, Promotion]:
    """The same in a transaction, without a lock."""
    return {row[0]: promotion_of(row) for row in await transaction.run(_BY_IDS, {"ids": list(ids)})}


async def lock_promotions(transaction: database.Transaction, ids: Iterable[str]) -> dict[str, Promotion]:
    """These promotions, by id, locked until the transaction ends. Ids without a promotion are absent."""
    wanted = sorted(ids)
    rows = await transaction.run(_LOCK, {"ids": wanted}) if wanted else []
    return {row[0]: promotion_of(row) for row in rows}


async def promotion_page(db: database.Database, page: pages.Page) -> list[Promotion]:
    """Promotions, newest first: up to one more than the page shows."""
    rows = await db.read(_PAGE, {"before": page.after or pages.LAST_ID, "most": page.size + 1})
    return [promotion_of(row) for row in rows]


async def any_automatic(db: database.Database, now: datetime) -> bool:
    """Whether there is a promotion without codes that has begun and has not ended."""
    [[found]] = await db.read(_ANY_AUTOMATIC, {"now": now})
    return bool(found)


async def change_promotions(transaction: database.Transaction, by: Mapping[str, int]) -> None:
    """Add to the uses of promotions, by id. The rows are locked by `lock_promotions`."""
    await transaction.run(_CHANGE, {"id": list(by), "by": list(by.values())})
