"""The rows of address books. Who writes has locked the account, so that two do not both make a default."""

import dataclasses
from collections.abc import Sequence

from services.chassis import database
from services.user.domain import addresses

_COLUMNS = "id, user_id, label, recipient, line1, line2, city, region, postal_code, country, is_default, create_time"
_LIST = database.Statement(
    f"SELECT {_COLUMNS} FROM addresses WHERE user_id = %(user_id)s ORDER BY is_default DESC, id DESC"  # noqa: S608 - columns
)
_UNSET = database.Statement("""
UPDATE addresses SET is_default = false WHERE user_id = %(user_id)s AND is_default AND id <> %(id)s
""")
# A repeated insert, and a change of an entry that is somebody else's, change nothing.
_WRITE = database.Statement(f"""
INSERT INTO addresses ({_COLUMNS}) VALUES (%(id)s, %(user_id)s, %(label)s, %(recipient)s, %(line1)s, %(line2)s, %(city)s,
  %(region)s, %(postal_code)s, %(country)s, %(is_default)s, %(create_time)s)
ON CONFLICT (id) DO UPDATE SET label = excluded.label, recipient = excluded.recipient, line1 = excluded.line1,
  line2 = excluded.line2, city = excluded.city, region = excluded.region, postal_code = excluded.postal_code,
  country = excluded.country, is_default = excluded.is_default WHERE addresses.user_id = excluded.user_id
""")  # noqa: S608 - names of columns
_DELETE = database.Statement("DELETE FROM addresses WHERE user_id = %(user_id)s AND id = %(id)s")


async def of_user(on: database.Transaction | database.Database, user_id: str) -> Sequence[addresses.Saved]:
    """Somebody's addresses: the default first, then the newest first."""
    run = on.run if isinstance(on, database.Transaction) else on.read
    return [_saved(row) for row in await run(_LIST, {"user_id": user_id})]


async def write(transaction: database.Transaction, saved: addresses.Saved) -> None:
    """Write an address, in place of the one with its id; where it is the default no other is."""
    if saved.is_default:
        await transaction.run(_UNSET, {"user_id": saved.user_id, "id": saved.id})
    row = {name: getattr(saved, name) for name in ("id", "user_id", "label", "is_default", "create_time")}
    await transaction.run(_WRITE, row | dataclasses.asdict(saved.address))


async def delete(db: database.Database, user_id: str, address_id: str) -> None:
    """Delete an address, if it is there."""
    await db.read(_DELETE, {"user_id": user_id, "id": address_id})


def _saved(row: database.Row) -> addresses.Saved:
    address_id, user_id, label, *address, is_default, create_time = row
    return addresses.Saved(address_id, user_id, label, addresses.Address(*address), is_default, create_time)
