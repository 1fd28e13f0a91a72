"""Codes, and what a quote looks at: the promotions of the codes that were entered, and those that apply without one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.chassis import database
from services.promotion.domain import codes, quotes
from services.promotion.store.promotions import COLUMNS, promotion_of

_INSERT_BATCH = database.Statement("""
INSERT INTO code_batches (id, promotion_id, count, create_time)
VALUES (%(id)s, %(promotion_id)s, %(count)s, %(create_time)s)
""")
_BATCH = database.Statement("SELECT id, promotion_id, count FROM code_batches WHERE id = %(id)s::uuid")
# The code is the claim: of two batches with the same one at the same moment one makes another.
_INSERT_CODES = database.Statement("""
WITH made AS (
  INSERT INTO codes (code, promotion_id, batch_id, most_uses, uses)
  SELECT code, %(promotion_id)s::uuid, %(batch_id)s::uuid, %(most_uses)s, 0 FROM unnest(%(code)s::text[]) AS g(code)
  ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*) FROM made
""")
_CODE = "code, promotion_id, batch_id, most_uses, uses"
_LOCK = database.Lookup(
    f"SELECT {_CODE} FROM codes WHERE code = ANY(%(codes)s::text[]) ORDER BY code FOR NO KEY UPDATE",  # noqa: S608 - all parts are constants of this room
    by="codes",
)
_AFTER = database.Statement(f"""
SELECT {_CODE} FROM codes
WHERE promotion_id = %(promotion_id)s::uuid AND code > %(after)s
  AND (%(batch_id)s::uuid IS NULL OR batch_id = %(batch_id)s::uuid)
ORDER BY code LIMIT %(most)s
""")  # noqa: S608 - as above
_CHANGE = database.Statement("""
UPDATE codes AS c SET uses = c.uses + g.by FROM unnest(%(code)s::text[], %(by)s::bigint[]) AS g(code, by)
WHERE c.code = g.code
""")
_AUTOMATIC = f"""
SELECT '', NULL::bigint, {COLUMNS} FROM promotions AS p
WHERE p.automatic AND (p.start_time IS NULL OR p.start_time <= %(now)s) AND (p.end_time IS NULL OR p.end_time > %(now)s)
"""  # noqa: S608 - as above
_WITHOUT_CODES = database.Statement(_AUTOMATIC)
_WITH_CODES = database.Statement(f"""
{_AUTOMATIC}
UNION ALL
SELECT c.code, CASE WHEN c.most_uses > 0 THEN c.most_uses - c.uses END, {COLUMNS}
FROM codes AS c JOIN promotions AS p ON p.id = c.promotion_id
WHERE c.code = ANY(%(codes)s::text[]) AND NOT p.automatic
""")  # noqa: S608 - as above


async def insert_batch(transaction: database.Transaction, batch: codes.Batch, now: datetime) -> None:
    """Write a new batch."""
    row = {"id": batch.id, "promotion_id": batch.promotion_id, "count": batch.count, "create_time": now}
    await transaction.run(_INSERT_BATCH, row)


async def batch(transaction: database.Transaction, batch_id: str) -> codes.Batch:
    """A batch that exists."""
    [row] = await transaction.run(_BATCH, {"id": batch_id})
    return codes.Batch(*row)


async def insert_codes(
    transaction: database.Transaction, batch: codes.Batch, fresh: Sequence[str], most_uses: int
) -> int:
    """Write those of the codes that do not exist: how many."""
    row = {"promotion_id": batch.promotion_id, "batch_id": batch.id, "most_uses": most_uses, "code": list(fresh)}
    [[made]] = await transaction.run(_INSERT_CODES, row)
    return int(made)


async def lock_codes(transaction: database.Transaction, wanted: Iterable[str]) -> dict[str, codes.Code]:
    """These codes, locked until the transaction ends. What is no code is absent."""
    sorted_codes = sorted(wanted)
    rows = await transaction.run(_LOCK, {"codes": sorted_codes}) if sorted_codes else []
    return {row[0]: codes.Code(*row) for row in rows}


async def codes_after(
    db: database.Database, promotion_id: str, *, batch_id: str, after: str, most: int
) -> list[codes.Code]:
    """Up to `most` codes of a promotion, or of one of its batches, sorted by code, after this one."""
    values = {"promotion_id": promotion_id, "batch_id": batch_id or None, "after": after, "most": most}
    return [codes.Code(*row) for row in await db.read(_AFTER, values)]


async def change_codes(transaction: database.Transaction, by: Mapping[str, int]) -> None:
    """Add to the uses of codes. The rows are locked by `lock_codes`."""
    if by:
        await transaction.run(_CHANGE, {"code": list(by), "by": list(by.values())})


async def candidates(db: database.Database, entered: Iterable[str], now: datetime) -> list[quotes.Candidate]:
    """The automatic promotions of this moment, and the promotions of the codes that exist among these."""
    entered = list(entered)
    if entered:
        rows = await db.read(_WITH_CODES, {"now": now, "codes": entered})
    else:
        rows = await db.read(_WITHOUT_CODES, {"now": now})
    # Many codes of a batch are of one promotion, which is read once.
    promotions = {row[2]: promotion_of(row[2:]) for row in rows}
    return [quotes.Candidate(promotions[row[2]], row[0], code_left=row[1]) for row in rows]
