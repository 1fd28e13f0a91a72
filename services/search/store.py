"""The rows of what people keep. They become domain values here and nowhere else."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, select

from services.chassis import database
from services.chassis.schema import ID
from services.search import domain

METADATA = MetaData()

ENTRIES = Table(
    "entries",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("text", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
)

_E = ENTRIES.c
_GET = database.Statement(select(_E.user_id, _E.text, _E.version).where(_E.user_id == bindparam("user_id", type_=ID)))
# One statement, so that of two changes at the same moment each counts.
_PUT = database.Statement("""
INSERT INTO entries AS e (user_id, text, version) VALUES (%(user_id)s, %(text)s, 1)
ON CONFLICT (user_id) DO UPDATE SET text = excluded.text, version = e.version + 1
RETURNING user_id, text, version
""")


async def entry_of(db: database.Database, user_id: str) -> domain.Entry | None:
    """What somebody keeps."""
    rows = await db.read(_GET, {"user_id": user_id})
    return domain.Entry(*rows[0]) if rows else None


async def save(transaction: database.Transaction, user_id: str, text: str) -> domain.Entry:
    """Keep this instead; the row stays locked until the end of the transaction."""
    rows = await transaction.run(_PUT, {"user_id": user_id, "text": text})
    return domain.Entry(*rows[0])
