"""What users wrote themselves, so that a copy of the database can be known to have it: see `services/chassis/replica.py`.

Orders are their own mark, by the newest of a user. Cancelling and resuming orders counts in `own_writes`, in the transaction that
does it.
"""

from sqlalchemy import BigInteger, Column, Table

from services.chassis import database
from services.chassis.schema import ID
from services.order.store import METADATA

OWN_WRITES = Table(
    "own_writes",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("writes", BigInteger, nullable=False),
)
MARK = database.Statement("""
SELECT (SELECT id FROM orders WHERE user_id = %(user_id)s ORDER BY id DESC LIMIT 1),
  (SELECT writes FROM own_writes WHERE user_id = %(user_id)s)
""")
# The timer writes a moment every second, whatever else happens: how old the latest is that the copy has.
AGE = database.Statement("""
SELECT extract(epoch FROM clock_timestamp() - (SELECT seen_at FROM timers WHERE name = 'saga'))::float8
""")
_COUNT = database.Statement("""
INSERT INTO own_writes (user_id, writes) VALUES (%(user_id)s, 1)
ON CONFLICT (user_id) DO UPDATE SET writes = own_writes.writes + 1
""")


async def count(transaction: database.Transaction, user_id: str) -> None:
    """Note that this user changes an order in this transaction."""
    await transaction.run(_COUNT, {"user_id": user_id})
