"""The rows of who changed whose roles. They outlive the accounts: they name nobody but by id."""

from collections.abc import Sequence

from services.chassis import database
from services.user import domain

_ADD = database.Statement("""
INSERT INTO role_changes (id, user_id, admin_id, before, after, reason, create_time)
VALUES (%(id)s, %(user_id)s, %(admin_id)s, %(before)s::text[], %(after)s::text[], %(reason)s, %(create_time)s)
""")
_LIST = database.Statement("""
SELECT id, user_id, admin_id, before, after, reason, create_time FROM role_changes
WHERE user_id = %(user_id)s ORDER BY id DESC LIMIT 100
""")


async def add(transaction: database.Transaction, change: domain.RoleChange) -> None:
    """Write down a change of roles."""
    row = {name: getattr(change, name) for name in ("id", "user_id", "admin_id", "reason", "create_time")}
    await transaction.run(_ADD, row | {"before": list(change.before), "after": list(change.after)})


async def of_user(db: database.Database, user_id: str) -> Sequence[domain.RoleChange]:
    """The changes of an account's roles, the newest first, at most 100."""
    return [_change(row) for row in await db.read(_LIST, {"user_id": user_id})]


def _change(row: database.Row) -> domain.RoleChange:
    change_id, user_id, admin_id, before, after, reason, create_time = row
    roles = [tuple(domain.Role(role) for role in some) for some in (before, after)]
    return domain.RoleChange(change_id, user_id, admin_id, roles[0], roles[1], reason, create_time)
