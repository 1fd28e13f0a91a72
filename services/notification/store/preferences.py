"""The rows of `preferences`, and the key of the links by which mail is unsubscribed."""

from collections.abc import Iterable

from psycopg.types.json import Jsonb
from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis import database
from services.chassis.schema import ID
from services.notification import domain
from services.notification.store.tables import PREFERENCES, UNSUBSCRIBE_KEY

_P = PREFERENCES.c
_PREFERENCES_COLUMNS = ("user_id", "choices", "phone_number", "push_endpoint", "language")
_QUIET_COLUMNS = ("quiet_start", "quiet_end", "quiet_zone")
_ALL_OF_PREFERENCES = [_P[name] for name in (*_PREFERENCES_COLUMNS, *_QUIET_COLUMNS)]
_PREFERENCES_OF = database.Statement(
    select(*_ALL_OF_PREFERENCES).where(_P.user_id == func.any(bindparam("user_id", type_=ARRAY(ID))))
)
_BEGIN_PREFERENCES = database.Statement("""
INSERT INTO preferences (user_id) VALUES (%(user_id)s) ON CONFLICT DO NOTHING
""")
_LOCK_PREFERENCES = database.Statement(
    select(*_ALL_OF_PREFERENCES).where(_P.user_id == bindparam("user_id", type_=ID)).with_for_update()
)
_SAVE_PREFERENCES = database.Statement("""
UPDATE preferences SET choices = %(choices)s, phone_number = %(phone_number)s, push_endpoint = %(push_endpoint)s,
  language = %(language)s, quiet_start = %(quiet_start)s, quiet_end = %(quiet_end)s, quiet_zone = %(quiet_zone)s
WHERE user_id = %(user_id)s
""")
_UNSUBSCRIBE_KEY = database.Statement(select(UNSUBSCRIBE_KEY.c.secret))


async def preferences_of(transaction: database.Transaction, user_ids: Iterable[str]) -> dict[str, domain.Preferences]:
    """The preferences of those of these people who have any, by user."""
    rows = await transaction.run(_PREFERENCES_OF, {"user_id": sorted(set(user_ids))})
    return {row[0]: _preferences(row) for row in rows}


async def lock_preferences(transaction: database.Transaction, user_id: str) -> domain.Preferences:
    """Somebody's preferences, which nobody else changes until the transaction ends."""
    await transaction.run(_BEGIN_PREFERENCES, {"user_id": user_id})
    [row] = await transaction.run(_LOCK_PREFERENCES, {"user_id": user_id})
    return _preferences(row)


async def save_preferences(transaction: database.Transaction, preferences: domain.Preferences) -> None:
    """Write the preferences that were locked."""
    choices = {kind: sorted(channels) for kind, channels in preferences.choices.items()}
    values = {name: getattr(preferences, name) for name in _PREFERENCES_COLUMNS}
    quiet = preferences.quiet_hours
    values |= {"quiet_start": quiet.start, "quiet_end": quiet.end, "quiet_zone": quiet.time_zone}
    await transaction.run(_SAVE_PREFERENCES, values | {"choices": Jsonb(choices)})


async def unsubscribe_key(db: database.Database) -> bytes:
    """The key that signs the links by which mail is unsubscribed. Raises TransientError."""
    [(secret,)] = await db.read(_UNSUBSCRIBE_KEY, {})
    return bytes(secret)


def _preferences(row: database.Row) -> domain.Preferences:
    user_id, choices, phone_number, push_endpoint, language, *quiet = row
    chosen = {domain.Kind(kind): frozenset(map(domain.Channel, channels)) for kind, channels in choices.items()}
    return domain.Preferences(
        user_id, chosen, phone_number, push_endpoint, domain.Language(language), domain.QuietHours(*quiet)
    )
