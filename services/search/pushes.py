"""The rows of mirrors: which indexes have one, and the queue of documents that a mirror lacks. Next stop: `mirror.py`.

Triggers fill the queue in the transaction that changes a document. A row leaves it when the mirror has the document in the
revision of the row or a later one: whoever changes it meanwhile gives the row a later revision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis import database

# A push that takes longer, in seconds, may be made twice, which does no harm.
_LEASE_S = 10
_MIRRORS = database.Statement("""
SELECT version, slot, state, mirror FROM indexes WHERE state <> 'RETIRED' ORDER BY version
""")
_CLAIM = database.Statement("""
UPDATE pushes AS p SET leased_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM (
  SELECT slot, product_id FROM pushes WHERE leased_until < statement_timestamp()
  ORDER BY lacking LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS due
WHERE p.slot = due.slot AND p.product_id = due.product_id
RETURNING p.slot, p.product_id
""")
# A statement of its own, after the claim: what it reads is never older than what the claimed rows ask for.
_READ = database.Statement("""
SELECT i.mirror, d.slot, d.product_id, d.revision, d.version, d.deleted, d.title, d.title_words, d.description, d.category,
  coalesce(d.vendor_id::text, ''), d.image, d.attributes, d.skus, d.currencies, d.amounts, d.earlier, d.facets, d.in_stock,
  d.popularity, d.details
FROM unnest(%(slots)s::text[], %(ids)s::uuid[]) AS g(slot, product_id)
  JOIN documents AS d ON d.slot = g.slot AND d.product_id = g.product_id
  JOIN indexes AS i ON i.slot = d.slot AND i.state <> 'RETIRED' AND i.mirror <> ''
""")
_DONE = database.Statement("""
DELETE FROM pushes AS p USING unnest(%(slots)s::text[], %(ids)s::uuid[], %(revisions)s::bigint[]) AS g(slot, id, revision)
WHERE p.slot = g.slot AND p.product_id = g.id AND p.revision <= g.revision
RETURNING 1
""")
# Changed while it was pushed: the mirror has it, but not as it is now.
_AGAIN = database.Statement("""
UPDATE pushes AS p SET lacking = p.revision, leased_until = '-infinity'
FROM unnest(%(slots)s::text[], %(ids)s::uuid[], %(revisions)s::bigint[]) AS g(slot, id, revision)
WHERE p.slot = g.slot AND p.product_id = g.id AND p.revision > g.revision
""")
_RELEASE = database.Statement("""
UPDATE pushes AS p SET leased_until = '-infinity' FROM unnest(%(slots)s::text[], %(ids)s::uuid[]) AS g(slot, id)
WHERE p.slot = g.slot AND p.product_id = g.id
""")
# Of indexes without a mirror, or that are not used any more, nothing is pushed.
_FORGET = database.Statement("""
DELETE FROM pushes AS p
WHERE NOT EXISTS (SELECT FROM indexes AS i WHERE i.slot = p.slot AND i.state <> 'RETIRED' AND i.mirror <> '')
""")
_LACKS = database.Statement("""
SELECT 1 FROM pushes AS p JOIN indexes AS i ON i.slot = p.slot AND i.state = 'BUILDING'
WHERE i.version = %(version)s AND p.lacking <= i.complete_at LIMIT 1
""")
_UNMIRROR = database.Statement("""
UPDATE indexes SET mirror = '' WHERE mirror = ANY(%(mirrors)s::text[]) RETURNING 1
""")
_ACTIVE = database.Statement("SELECT mirror FROM indexes WHERE state = 'ACTIVE'")
QUEUES = database.Statement("""
SELECT 'pushes', count(*), extract(epoch FROM clock_timestamp() - min(time)) FROM pushes
""")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """An index in use, and the name of its mirror: empty without one."""

    version: int
    slot: str
    state: str
    mirror: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a mirror is to have it: in which mirror, its place in the database, its revision and its content."""

    mirror: str
    slot: str
    product_id: str
    revision: int
    version: int
    deleted: bool
    title: str
    title_words: str
    description: str
    category: str
    vendor_id: str
    image: str
    attributes: dict[str, str]
    skus: list[str]
    currencies: list[str]
    amounts: list[int]
    earlier: list[int]
    facets: list[str]
    in_stock: bool
    popularity: int
    details: str


async def mirrored(db: database.Database) -> list[Mirrored]:
    """The indexes in use, oldest first."""
    return [Mirrored(*row) for row in await db.read(_MIRRORS)]


async def active_mirror(db: database.Database) -> str:
    """The mirror of the index that is searched; empty when it has none."""
    rows = await db.read(_ACTIVE)
    return str(rows[0][0]) if rows else ""


async def unmirror(transaction: database.Transaction, mirrors: Sequence[str]) -> int:
    """These mirrors are not used any more: of how many indexes they were."""
    found = len(await transaction.run(_UNMIRROR, {"mirrors": list(mirrors)}))
    await transaction.run(_FORGET)
    return found


async def claim(db: database.Database, most: int) -> tuple[list[tuple[str, str]], list[Document]]:
    """Rows that nobody else pushes for a while, as slot and product, and the documents that they are about."""
    rows: list[tuple[str, str]] = [
        (slot, id_) for slot, id_ in await db.read(_CLAIM, {"lease": _LEASE_S, "most": most})
    ]
    if not rows:
        return [], []
    found = await db.read(_READ, _places(rows))
    return rows, [Document(*row) for row in found]


async def done(transaction: database.Transaction, pushed: Sequence[Document]) -> None:
    """The mirror has these documents, in these revisions or later ones."""
    places = _places([(each.slot, each.product_id) for each in pushed])
    values = places | {"revisions": [each.revision for each in pushed]}
    await transaction.run(_DONE, values)
    await transaction.run(_AGAIN, values)


async def release(db: database.Database, rows: Sequence[tuple[str, str]]) -> None:
    """Nobody pushes these rows now; those of indexes without a mirror are deleted."""
    await db.read(_FORGET)
    await db.read(_RELEASE, _places(rows))


async def lacks(transaction: database.Transaction, version: int) -> bool:
    """Whether the mirror of a build that has read everything lacks documents that the build had then."""
    return bool(await transaction.run(_LACKS, {"version": version}))


def _places(rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"slots": [slot for slot, _ in rows], "ids": [id_ for _, id_ in rows]}
