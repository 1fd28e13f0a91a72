"""The rows of notes: `order_notes`. Nobody changes one; what erased users leave of theirs is an empty text."""

from collections.abc import Sequence
from dataclasses import astuple, replace

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from services.chassis import database, pages
from services.chassis.schema import ID, TIME
from services.order import store
from services.order.domain import notes

NOTES = Table(
    "order_notes",
    store.METADATA,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, nullable=False),
    Column("author_id", ID, nullable=False),
    Column("by_staff", Boolean, nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("after_sequence", BigInteger, nullable=False),
)
_COLUMNS = tuple(column.name for column in NOTES.columns)
# The order's row, which no order that goes on waits for: whoever adds a note counts those of all who added one before.
_LOCK = database.Statement("SELECT user_id FROM orders WHERE id = %(order_id)s FOR UPDATE")
_COUNT = database.Statement("SELECT count(*) FROM order_notes WHERE order_id = %(order_id)s")
_INSERT = database.Statement(f"""
INSERT INTO order_notes ({", ".join(_COLUMNS)})
SELECT %(id)s, %(order_id)s, %(author_id)s, %(by_staff)s, %(internal)s, %(text)s, %(create_time)s, version
FROM sagas WHERE order_id = %(order_id)s
RETURNING after_sequence
""")  # noqa: S608 - the names are those of the table above
_ONE = database.Statement(f"SELECT {', '.join(_COLUMNS)} FROM order_notes WHERE id = %(id)s")  # noqa: S608 - as above
_PAGE = database.Statement(f"""
SELECT {", ".join(_COLUMNS)} FROM order_notes
WHERE order_id = %(order_id)s AND id > %(after)s AND (%(staff)s OR NOT internal) ORDER BY id LIMIT %(most)s
""")  # noqa: S608 - as above

# What was written to orders of these users that ended, by whomever: it may name them.
ERASE = database.Statement("""
UPDATE order_notes AS n SET text = '' FROM orders AS o JOIN sagas AS s ON s.order_id = o.id
WHERE o.user_id = ANY(%(users)s::uuid[]) AND s.step = 'DONE' AND n.order_id = o.id AND n.text <> ''
""")


async def lock(transaction: database.Transaction, order_id: str) -> int:
    """Let nobody else add a note to this order until the transaction ends: how many it has."""
    await transaction.run(_LOCK, {"order_id": order_id})
    [[notes_of_it]] = await transaction.run(_COUNT, {"order_id": order_id})
    return int(notes_of_it)


async def insert(transaction: database.Transaction, note: notes.Note) -> notes.Note:
    """Add a note to an order that is there: as it was written, behind the last entry of the history."""
    values = dict(zip(_COLUMNS, astuple(note), strict=True))
    [[after_sequence]] = await transaction.run(_INSERT, values)
    return replace(note, after_sequence=after_sequence)


async def get(transaction: database.Transaction, note_id: str) -> notes.Note:
    """A note that is there."""
    [row] = await transaction.run(_ONE, {"id": note_id})
    return notes.Note(*row)


async def page_of(db: database.Database, order_id: str, page: pages.Page, *, staff: bool) -> Sequence[notes.Note]:
    """An order's notes, oldest first, internal ones for staff only: up to one more than the page shows."""
    values = {"order_id": order_id, "after": page.after or pages.FIRST_ID, "staff": staff, "most": page.size + 1}
    return [notes.Note(*row) for row in await db.read(_PAGE, values)]
