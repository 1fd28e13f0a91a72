"""The sets of synonyms that administrators keep."""

from services.chassis import database, pages
from services.search import domain, store, words

_SYNONYMS = database.Statement("SELECT id, terms, update_time FROM synonyms ORDER BY id")
_SYNONYMS_PAGE = database.Statement("""
SELECT id, terms, update_time FROM synonyms WHERE id > %(after)s ORDER BY id LIMIT %(most)s
""")
_PUT_SYNONYMS = database.Statement("""
INSERT INTO synonyms (id, terms, update_time)
SELECT %(id)s, %(terms)s::text[], %(now)s
WHERE (SELECT count(*) FROM synonyms WHERE id <> %(id)s) < %(most)s
ON CONFLICT (id) DO UPDATE SET terms = excluded.terms, update_time = excluded.update_time
RETURNING 1
""")
_DELETE_SYNONYMS = database.Statement("DELETE FROM synonyms WHERE id = %(id)s RETURNING 1")


async def known(db: database.Database) -> list[words.Synonyms]:
    """All synonyms, with the stems of their words."""
    rows = await db.read(_SYNONYMS)
    parts = {term: words.words_of(term) for _, terms, _ in rows for term in terms}
    stems = await store.stems_of(db, sorted({word for part in parts.values() for word in part}))
    return [
        words.Synonyms(id_, tuple(terms), tuple(tuple(stems[word] for word in parts[term]) for term in terms))
        for id_, terms, _ in rows
    ]


async def page(db: database.Database, asked: pages.Page) -> list[domain.SynonymSet]:
    """Sets of synonyms, by id: up to one more than the page shows."""
    rows = await db.read(_SYNONYMS_PAGE, {"after": asked.after, "most": asked.size + 1})
    return [domain.SynonymSet(id_, tuple(terms), time) for id_, terms, time in rows]


async def put(transaction: database.Transaction, made: domain.SynonymSet) -> bool:
    """Write a set of synonyms, unless there are too many others: whether it was written."""
    row = {"id": made.id, "terms": list(made.terms), "now": made.update_time, "most": domain.MOST_SYNONYMS}
    return bool(await transaction.run(_PUT_SYNONYMS, row))


async def delete(transaction: database.Transaction, set_id: str) -> bool:
    """Delete a set of synonyms: whether there was one."""
    return bool(await transaction.run(_DELETE_SYNONYMS, {"id": set_id}))
