"""What people prefer: columns of their accounts."""

from services.chassis import database
from services.user.domain import preferences

_FIND = database.Statement("SELECT language, currency, time_zone FROM users WHERE id = %(user_id)s")
_LOCK = database.Statement("SELECT language, currency, time_zone FROM users WHERE id = %(user_id)s FOR UPDATE")
_WRITE = database.Statement("""
UPDATE users SET language = %(language)s, currency = %(currency)s, time_zone = %(time_zone)s WHERE id = %(user_id)s
""")


async def find(db: database.Database, user_id: str) -> preferences.Preferences | None:
    """What somebody prefers; None for nobody."""
    rows = await db.read(_FIND, {"user_id": user_id})
    return preferences.Preferences(*rows[0]) if rows else None


async def lock(transaction: database.Transaction, user_id: str) -> preferences.Preferences | None:
    """What somebody prefers, which nobody else changes until the transaction ends; None for nobody."""
    rows = await transaction.run(_LOCK, {"user_id": user_id})
    return preferences.Preferences(*rows[0]) if rows else None


async def write(transaction: database.Transaction, user_id: str, wanted: preferences.Preferences) -> None:
    """Write what somebody prefers."""
    row = {name: getattr(wanted, name) for name in ("language", "currency", "time_zone")}
    await transaction.run(_WRITE, {"user_id": user_id, **row})
