"""Sees whether pages that `postgres_engine` found still would be found, by the documents that changed since.

Only those are looked at, by an index: of each the same conditions and the same key as those of the search. So a change is seen
that takes a product off the page, moves it on the page, or puts another one on it; what happens behind the page is not.
"""

import functools
from collections.abc import Mapping

from services.chassis import database
from services.search import domain
from services.search import postgres_engine as engine

# After so many changes it is as cheap to search again.
MOST_CHANGES = 1_000
# The most changed documents of one page that are read.
MOST_READ = 200


class PostgresChecker:
    """Compares pages with the documents in the service's own database."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def changed(self, proof: str, since: int) -> Mapping[str, domain.Hit] | None:
        """The products of the proof's page that look otherwise, by id; None if it is not that page any more, or may not be.

        since is a horizon (`store.Moment`): what was committed by then is known. Raises TransientError.
        """
        page = engine.Proof.of(proof)
        limits = {"since": str(since), "most": MOST_CHANGES, "read": MOST_READ, "places": list(page.places)}
        statement = _statement(page.shape, after=page.after is not None, last=page.last is not None)
        rows = await self._db.read(statement, {**page.values, **limits, **_ends(page)})
        if rows[0][0] >= MOST_CHANGES or len(rows) >= MOST_READ:
            return None
        found: dict[str, domain.Hit] = {}
        for _, placed, matches, *row in rows:
            if placed is None:
                continue
            if not (placed and matches and page.places[row[0]] == row[-1]):
                return None
            found[row[0]] = engine.hit(tuple(row), page.currency, excerpts=page.shape.text)
        # Where the page shows all that there is, its facets are right, too.
        return None if found and page.with_facets and page.after is None and page.last is None else found


def _ends(page: engine.Proof) -> dict[str, object]:
    ends: dict[str, object] = {}
    if page.after:
        ends |= {"after_key": page.after.key, "after_id": page.after.product_id}
    if page.last:
        ends |= {"last_key": page.last.key, "last_id": page.last.product_id}
    return ends


@functools.cache
def _statement(shape: engine.Shape, *, after: bool, last: bool) -> database.Statement:
    """A row for each changed document that is, or should be, on the page, behind the number of all that changed."""
    key = engine.KEYS[shape.sort]
    excerpts = f", {engine.EXCERPTS}" if shape.text else ""
    within = [
        "d.matches",
        *([f"({key}, d.product_id) < (%(after_key)s, %(after_id)s::uuid)"] if after else []),
        *([f"({key}, d.product_id) > (%(last_key)s, %(last_id)s::uuid)"] if last else []),
    ]
    return database.Statement(f"""
    WITH recent AS MATERIALIZED (
      SELECT d.* FROM documents AS d
      WHERE d.slot = (SELECT slot FROM indexes WHERE state = 'ACTIVE') AND d.changed >= %(since)s::text::xid8
      LIMIT %(most)s),
    judged AS MATERIALIZED (
      SELECT d.*, coalesce({engine.conditions(shape)}, false) AS matches,
        d.product_id = ANY(%(places)s::uuid[]) AS placed
      FROM recent AS d)
    SELECT counted.changes, page.* FROM (SELECT count(*) AS changes FROM recent) AS counted LEFT JOIN (
      SELECT d.placed, d.matches, {engine.SHOWN}{excerpts}, {key} AS key
      FROM judged AS d WHERE d.placed OR ({" AND ".join(within)})
      ORDER BY d.placed LIMIT %(read)s) AS page ON true
    """)  # noqa: S608 - only texts of this module and of the engine are put in
