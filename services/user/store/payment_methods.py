"""The rows of saved payment methods. Who writes has locked the account, so that two do not both make a default."""

from collections.abc import Sequence

from services.chassis import database
from services.user.domain import payment_methods

_NAMES = ("id", "user_id", "provider_token", "label", "last_digits", "is_default", "create_time")
_COLUMNS = ", ".join(_NAMES)
_LIST = database.Statement(
    f"SELECT {_COLUMNS} FROM payment_methods WHERE user_id = %(user_id)s ORDER BY is_default DESC, id DESC"  # noqa: S608 - columns
)
_UNSET = database.Statement("""
UPDATE payment_methods SET is_default = false WHERE user_id = %(user_id)s AND is_default AND id <> %(id)s
""")
_WRITE = database.Statement(f"""
INSERT INTO payment_methods ({_COLUMNS}) VALUES (%(id)s, %(user_id)s, %(provider_token)s, %(label)s, %(last_digits)s,
  %(is_default)s, %(create_time)s)
ON CONFLICT (id) DO UPDATE SET is_default = excluded.is_default WHERE payment_methods.user_id = excluded.user_id
""")  # noqa: S608 - names of columns
_DELETE = database.Statement("DELETE FROM payment_methods WHERE user_id = %(user_id)s AND id = %(id)s")


async def of_user(on: database.Transaction | database.Database, user_id: str) -> Sequence[payment_methods.Method]:
    """Somebody's payment methods: the default first, then the newest first."""
    run = on.run if isinstance(on, database.Transaction) else on.read
    return [payment_methods.Method(*row) for row in await run(_LIST, {"user_id": user_id})]


async def write(transaction: database.Transaction, method: payment_methods.Method) -> None:
    """Write a new payment method, or whether one is the default; where it is no other is."""
    if method.is_default:
        await transaction.run(_UNSET, {"user_id": method.user_id, "id": method.id})
    await transaction.run(_WRITE, {name: getattr(method, name) for name in _NAMES})


async def delete(db: database.Database, user_id: str, method_id: str) -> None:
    """Delete a payment method, if it is there."""
    await db.read(_DELETE, {"user_id": user_id, "id": method_id})
