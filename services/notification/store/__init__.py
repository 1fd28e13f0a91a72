"""The rows of the notification service. Rows become domain values here and nowhere else.

Every write takes a list and is one statement. When a message is tried next is compared with and set by the database's clock, so
that no process's clock can be wrong.
"""

from services.notification.store.contacts import hurry, is_known, keep
from services.notification.store.erasing import ERASE
from services.notification.store.low_stock import low_due, note_low, take_low
from services.notification.store.notifications import (
    ACCOUNT_ERASED,
    CONTACT_UNKNOWN,
    CONTACT_WAIT_MOST_S,
    QUIET_HOURS,
    Claimed,
    Settled,
    add,
    claim,
    get,
    page_of,
    put_off,
    settle,
)
from services.notification.store.preferences import lock_preferences, preferences_of, save_preferences, unsubscribe_key
from services.notification.store.tables import METADATA

__all__ = [
    "ACCOUNT_ERASED",
    "CONTACT_UNKNOWN",
    "CONTACT_WAIT_MOST_S",
    "ERASE",
    "METADATA",
    "QUIET_HOURS",
    "Claimed",
    "Settled",
    "add",
    "claim",
    "get",
    "hurry",
    "is_known",
    "keep",
    "lock_preferences",
    "low_due",
    "note_low",
    "page_of",
    "preferences_of",
    "put_off",
    "save_preferences",
    "settle",
    "take_low",
    "unsubscribe_key",
]
