"""The rows of `contacts`: whom to write to."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from services.chassis import database
from services.chassis.schema import ID
from services.notification import domain
from services.notification.store.tables import CONTACTS

_COLUMNS = ("user_id", "email", "display_name", "version", "email_verified")
_UPSERT = database.insert_given(CONTACTS, *_COLUMNS)
_UPSERT_CONTACTS = database.Statement(
    _UPSERT.on_conflict_do_update(
        index_elements=["user_id"],
        set_={name: _UPSERT.excluded[name] for name in _COLUMNS},
        where=CONTACTS.c.version < _UPSERT.excluded.version,
    )
)
# A message that was tried, or is being sent, is due when its retry or its lease says; only those never tried are hurried.
_HURRY = database.Statement("""
UPDATE notifications SET next_try_at = clock_timestamp()
WHERE user_id = ANY(%(user_id)s::uuid[]) AND attempts = 0 AND next_try_at > statement_timestamp()
""")
_KNOWN = database.Statement(select(CONTACTS.c.user_id).where(CONTACTS.c.user_id == bindparam("user_id", type_=ID)))


async def keep(transaction: database.Transaction, contacts: Sequence[domain.Contact]) -> None:
    """Remember whom to write to, unless something newer is known already. What waited for them is due at once."""
    await transaction.run(_UPSERT_CONTACTS, database.columns(contacts, *_COLUMNS))
    await hurry(transaction, [contact.user_id for contact in contacts])


async def hurry(transaction: database.Transaction, user_ids: Sequence[str]) -> None:
    """What waits for these users and was never tried is due at once."""
    await transaction.run(_HURRY, {"user_id": user_ids})


async def is_known(transaction: database.Transaction, user_id: str) -> bool:
    """Whether this user can be written to."""
    return bool(await transaction.run(_KNOWN, {"user_id": user_id}))
